// Python's `random` for translated programs: the same Mersenne Twister, so that the same seed gives the same numbers.

const SIZE = 624

export class Random {
  readonly #state = new Uint32Array(SIZE)
  #index = SIZE

  constructor(seed: number = Math.floor(Math.random() * 2 ** 53)) {
    this.seed(seed)
  }

  /** Begins again from a whole number. */
  seed(seed: number): void {
    const size = Math.abs(seed)
    const key = size < 2 ** 32 ? [size] : [size >>> 0, Math.floor(size / 2 ** 32)]
    const state = this.#state
    state[0] = 19650218
    for (let i = 1; i < SIZE; i++) state[i] = Math.imul(1812433253, last(state, i)) + i
    let [i, j] = [1, 0]
    for (let k = Math.max(SIZE, key.length); k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(last(state, i), 1664525)) + key[j]! + j
      if (++i >= SIZE) { state[0] = state[SIZE - 1]!; i = 1 }
      if (++j >= key.length) j = 0
    }
    for (let k = SIZE - 1; k > 0; k--) {
      state[i] = (state[i]! ^ Math.imul(last(state, i), 1566083941)) - i
      if (++i >= SIZE) { state[0] = state[SIZE - 1]!; i = 1 }
    }
    state[0] = 0x80000000
    this.#index = SIZE
  }

  /** The next 32 bits. */
  #next(): number {
    const state = this.#state
    if (this.#index >= SIZE) {
      for (let k = 0; k < SIZE; k++) {
        const y = (state[k]! & 0x80000000) | (state[(k + 1) % SIZE]! & 0x7fffffff)
        state[k] = state[(k + 397) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0)
      }
      this.#index = 0
    }
    let y = state[this.#index++]!
    y ^= y >>> 11
    y ^= (y << 7) & 0x9d2c5680
    y ^= (y << 15) & 0xefc60000
    return (y ^ (y >>> 18)) >>> 0
  }

  random(): number {
    return ((this.#next() >>> 5) * 67108864 + (this.#next() >>> 6)) / 9007199254740992
  }

  uniform(a: number, b: number): number {
    return a + (b - a) * this.random()
  }

  /** A whole number from 0 up to `n`, each as likely. */
  #below(n: number): number {
    const bits = 32 - Math.clz32(n)
    for (;;) {
      const drawn = this.#next() >>> (32 - bits)
      if (drawn < n) return drawn
    }
  }

  randrange(start: number, stop?: number): number {
    return stop === undefined ? this.#below(start) : start + this.#below(stop - start)
  }

  randint(a: number, b: number): number {
    return this.randrange(a, b + 1)
  }

  choice(items: string): string
  choice<T>(items: readonly T[]): T
  choice(items: readonly unknown[] | string): unknown {
    return items[this.#below(items.length)]
  }

  shuffle(items: unknown[]): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.#below(i + 1)
      ;[items[i], items[j]] = [items[j], items[i]]
    }
  }

  sample<T>(items: readonly T[], k: number): T[] {
    const n = items.length
    if (k > n) throw new RangeError('Sample larger than population or is negative')
    const most = 21 + (k > 5 ? 4 ** Math.ceil(Math.log(k * 3) / Math.log(4)) : 0)
    if (n <= most) {
      const pool = [...items]
      return Array.from({ length: k }, (_, i) => {
        const j = this.#below(n - i)
        const drawn = pool[j]!
        pool[j] = pool[n - i - 1]!
        return drawn
      })
    }
    const taken = new Set<number>()
    return Array.from({ length: k }, () => {
      let j = this.#below(n)
      while (taken.has(j)) j = this.#below(n)
      taken.add(j)
      return items[j]!
    })
  }
}

function last(state: Uint32Array, i: number): number {
  return state[i - 1]! ^ (state[i - 1]! >>> 30)
}

/** The one that the module's own functions use. */
export const random = new Random()
