// Values and errors that are sent.
export function echo<T>(value: T): T {
  return value
}

export class Refused extends Error {
  readonly code: number

  constructor(code: number) {
    super(`refused with ${code}`)
    this.name = 'Refused'
    this.code = code
  }
}

class Hidden extends Error {}

export function fail(how: 'range' | 'refused' | 'hidden' | 'cause' | 'string' | 'group'): never {
  switch (how) {
    case 'range':
      throw new RangeError('too far')
    case 'refused':
      throw new Refused(7)
    case 'hidden':
      throw new Hidden('not exported')
    case 'cause':
      throw new Error('outer', { cause: new TypeError('inner') })
    case 'string':
      // eslint-disable-next-line @typescript-eslint/only-throw-error
      throw 'just text'
    case 'group':
      throw new AggregateError([new RangeError('one'), new Refused(2)], 'both')
  }
}

export function giveFunction(): () => void {
  return () => {}
}

export function* coroutine(): Generator<never, number> {
  return 1
}

export async function later(value: number): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, 1))
  return value + 1
}

/** Not exported from here: a new one at each call. */
export function makeClosure(): () => number {
  return () => 1
}
