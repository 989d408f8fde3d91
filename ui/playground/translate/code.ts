// Pieces of TypeScript: how tightly they bind, and how strings are written.

/** A piece of TypeScript; `level` says how tightly its outermost operator binds. */
export interface Code {
  text: string
  level: number
}

export const LEVEL = { yield: 2, conditional: 3, or: 4, and: 5, bitAnd: 8, equality: 9, relation: 10, shift: 11, sum: 12, product: 13, power: 14, unary: 15, call: 17 } as const

/** A call or a name: nothing binds more tightly. */
export const tight = (text: string): Code => ({ text, level: LEVEL.call })

/** A piece as an operand of something that binds as tightly as `level`. */
export function operand({ text, level: own }: Code, level: number): string {
  return own < level ? `(${text})` : text
}

const SIGNS = {
  '??': LEVEL.or, '||': LEVEL.or, '&&': LEVEL.and, '===': LEVEL.equality, '!==': LEVEL.equality, '==': LEVEL.equality, '!=': LEVEL.equality,
  '<': LEVEL.relation, '<=': LEVEL.relation, '>': LEVEL.relation, '>=': LEVEL.relation, 'instanceof': LEVEL.relation,
  '+': LEVEL.sum, '-': LEVEL.sum, '*': LEVEL.product, '/': LEVEL.product, '%': LEVEL.product, '**': LEVEL.power,
} as const

export type Sign = keyof typeof SIGNS

/** Two operands, each with the parentheses that it needs, and the sign between them. */
export function infix(left: string, sign: Sign, right: string): Code {
  return { text: `${left} ${sign} ${right}`, level: SIGNS[sign] }
}

export function not(code: Code): Code {
  return { text: `!${operand(code, LEVEL.unary)}`, level: LEVEL.unary }
}

/** What a function without braces returns. */
export function arrowBody(text: string): string {
  return text.startsWith('{') ? `(${text})` : text
}

export function lambda(parameters: string, body: string): Code {
  return { text: `(${parameters}) => ${arrowBody(body)}`, level: LEVEL.yield }
}

export function quoted(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'"
  return mark + text.replace(/[\\\n\r\t\0\u2028\u2029]/g, escaped).replaceAll(mark, `\\${mark}`) + mark
}

/** A string as a part of a template. */
export function templated(text: string): string {
  return text.replace(/[\\\n\r\t\0]/g, escaped).replaceAll('`', '\\`').replaceAll('${', '\\${')
}

function escaped(letter: string): string {
  const known: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\0': '\\0' }
  return known[letter] ?? `\\u${letter.charCodeAt(0).toString(16)}`
}
