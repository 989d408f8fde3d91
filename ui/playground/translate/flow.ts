// How control goes through blocks of statements: where it ends, what leaves a loop, what a function returns.
import { blocksOf, everyStatement, type Statement } from './tree.ts'

/** Whether a function returns a value anywhere, None included. */
export function returnsValue(body: readonly Statement[]): boolean {
  for (const statement of everyStatement(body)) if (statement.type === 'Return' && statement.value !== null) return true
  return false
}

/** Whether a block has a statement of one of these types, functions and classes left out. */
export function has(body: readonly Statement[], ...types: Statement['type'][]): boolean {
  for (const { type } of everyStatement(body)) if (types.includes(type)) return true
  return false
}

/** Whether control can come to the end of a block. */
export function fallsThrough(body: readonly Statement[]): boolean {
  return !body.some(ends)
}

function ends(statement: Statement): boolean {
  switch (statement.type) {
    case 'Return': case 'Raise': case 'Continue': case 'Break': return true
    case 'If': return statement.orelse.length > 0 && !fallsThrough(statement.body) && !fallsThrough(statement.orelse)
    case 'While': return statement.test.type === 'Constant' && statement.test.value !== false && statement.test.value !== '0' && !breaks(statement.body)
    case 'With': case 'AsyncWith': return !fallsThrough(statement.body)
    case 'Try': case 'TryStar':
      if (statement.finalbody.length > 0 && !fallsThrough(statement.finalbody)) return true
      return (!fallsThrough(statement.body) || (statement.orelse.length > 0 && !fallsThrough(statement.orelse))) && statement.handlers.every((handler) => !fallsThrough(handler.body))
    default: return false
  }
}

export type Jump = 'break' | 'continue'

/** The jumps in a block that leave a loop around it. */
export function jumpsIn(body: readonly Statement[]): Set<Jump> {
  const found = new Set<Jump>()
  for (const statement of body) {
    if (statement.type === 'Break') found.add('break')
    else if (statement.type === 'Continue') found.add('continue')
    else {
      const isLoop = statement.type === 'For' || statement.type === 'AsyncFor' || statement.type === 'While'
      for (const block of isLoop ? [statement.orelse] : blocksOf(statement)) for (const jump of jumpsIn(block)) found.add(jump)
    }
  }
  return found
}

/** Whether a `break` in a loop's body leaves that loop. */
export function breaks(body: readonly Statement[]): boolean {
  return jumpsIn(body).has('break')
}

/** Whether a block raises again what was caught. */
export function raisesAgain(body: readonly Statement[]): boolean {
  for (const statement of everyStatement(body)) if (statement.type === 'Raise' && statement.exc === null) return true
  return false
}
