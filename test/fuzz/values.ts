// Values for fields: valid ones, those at their bounds, and hostile ones.
import type { Random } from '../conformance/random.ts'
import type { Parameter, Schema } from './try.ts'

export const HOSTILE = [
  '', ' ', '0', '-0', '-1', '+1', '1.5', '1e3', '1e999', '0x10', '00', 'NaN', 'Infinity', '-Infinity', '٣', '9007199254740992', '99999999999999999999', '1'.repeat(99),
  '1'.repeat(120), 'a'.repeat(3000), '\0', '\x7f', '\xff', '\u202e', '😀', '\ud800', 'ﬁ', '\r\n', '\r\nX: y', "'", '"', '`', '\\', '/', '//', '..', '../..', '...', '.', '%', '%zz', '%00', '%25',
  '<script>alert(1)</script>', '{{7*7}}', '$'.concat('{7*7}'), '$(id)', '; id', '| id', "' OR '1'='1", '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'true', 'false', 'null',
  'undefined', '[]', '{}', '[object Object]', 'a,b', ',', ',,,,', '*', '?', '#', '&', '=', 'a&b=c', ';', ':', '@', '1:1', '0:0', 'ffff:1', 'a:b:c', '1,1', '*,*',
] as const

const NAMES = ['ms', 'n', 'loop', 'types', '__proto__', 'constructor', 'x', '', 'ms[]', 'ms[a]', 'MS', 'since', '%00', 'a'.repeat(500)] as const

export function text(random: Random): string {
  if (random.chance(0.7)) return random.pick(HOSTILE)
  const units = Array.from({ length: random.int(1, 30) }, () => random.int(0, random.chance(0.7) ? 127 : 0xffff))
  return Buffer.from(String.fromCharCode(...units)).toString()
}

/** Usually percent-encoded; otherwise unchanged if a request line allows it, or only half encoded. */
export function encoded(random: Random, value: string): string {
  const safe = Buffer.from(value).toString()
  if (random.chance(0.85)) return encodeURIComponent(safe)
  if (random.chance(0.5)) return [...Buffer.from(safe)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
  return safe.replace(/[^\x21-\x7e]/g, '%')
}

function number({ type, minimum = -1e6, maximum = 1e6 }: Schema, random: Random): string {
  const whole = random.pick([minimum, maximum, minimum - 1, maximum + 1, 1, 2, 3, random.int(0, 100)])
  return String(type === 'number' && random.chance(0.3) ? whole + 0.5 : whole)
}

/** A value of a field; `valid` means that it must be accepted. */
export function valueOf(schema: Schema, random: Random, valid: boolean): string {
  if (schema.anyOf !== undefined) return valueOf(random.pick(schema.anyOf), random, valid)
  if (!valid && random.chance(0.6)) return text(random)
  if (schema.enum !== undefined) return String(random.pick(schema.enum))
  if (schema.type === 'integer' || schema.type === 'number') {
    if (!valid) return number(schema, random)
    const { minimum = 0, maximum = 100 } = schema
    return String(random.chance(0.2) ? random.pick([minimum, maximum]) : random.int(Math.ceil(minimum), Math.min(maximum, Math.ceil(minimum) + 30)))
  }
  return random.pick(['a', 'x.y-z_1', 'loop.blocked', 'task.created,task.done', 'run.started', '1:1'])
}

/** A path with its parameters in it. */
export function fillPath(path: string, parameters: readonly Parameter[], random: Random, valid: boolean): string {
  return path.replace(/\{([^}]+)\}/g, (_, name: string) => {
    const schema = parameters.find((one) => one.in === 'path' && one.name === name)?.schema ?? {}
    const value = encoded(random, valueOf(schema, random, valid))
    return value === '' || /^(\.|%2e)+$/i.test(value) ? '1' : value
  })
}

/** The query of a route: `?a=b&c=d`, or nothing. `given` overrides what is random. */
export function queryOf(parameters: readonly Parameter[], random: Random, valid: boolean, given: Record<string, string> = {}): string {
  const pairs = parameters.filter((one) => one.in === 'query' && !(one.name in given) && random.chance(0.4))
    .map(({ name, schema }) => `${name}=${encoded(random, valueOf(schema, random, valid || random.chance(0.7)))}`)
  for (const [name, value] of Object.entries(given)) pairs.push(`${name}=${value}`)
  if (!valid && random.chance(0.15)) pairs.push(`${encoded(random, random.pick(NAMES))}=${encoded(random, text(random))}`)
  if (!valid && random.chance(0.1) && pairs.length > 0) pairs.push(random.pick(pairs))
  if (!valid && random.chance(0.05)) pairs.push(random.pick(['&', '&&&', '=', '==', '?', 'a', '%', '%zz', 'a=%', '+', 'x='.repeat(300)]))
  return pairs.length === 0 ? (random.chance(0.05) ? '?' : '') : `?${pairs.join('&')}`
}
