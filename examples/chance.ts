// Random numbers for example 5: Python's `random.uniform` and `random.choice`, and a generator with a seed, so that a run
// can be had again. `chance.py` is the same generator, number for number.

export interface Chance {
  /** A number from `from` to `to`, each as likely as the other. */
  uniform(from: number, to: number): number
  /** One character of `text`. */
  choice(text: string): string
}

/** Random draws, with a seed always the same ones. */
export function chance(seed?: number): Chance {
  const next = seed === undefined ? Math.random : sequence(seed)
  return {
    uniform: (from, to) => from + (to - from) * next(),
    choice: (text) => text[Math.floor(next() * text.length)] as string,
  }
}

/** Numbers from 0 up to 1: a 32-bit linear congruential step, whose upper bits are stirred. */
function sequence(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    const stirred = Math.imul(state ^ (state >>> 16), 0x45d9f3b) >>> 0
    return ((stirred ^ (stirred >>> 15)) >>> 0) / 2 ** 32
  }
}
