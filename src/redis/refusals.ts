// What an error from Redis means: whether it will pass, and what to do about it.
import { ErrorReply } from './client.ts'

/** Errors of a Redis that may work again later, or that is the wrong one to ask at the moment. */
const PASSING = new Set(['LOADING', 'BUSY', 'READONLY', 'MISCONF', 'MASTERDOWN', 'CLUSTERDOWN', 'TRYAGAIN', 'NOREPLICAS', 'UNBLOCKED', 'NOGROUP'])
/** Those of them that say that this Redis takes no writes: a process that starts with such a Redis need not wait. */
const UNWRITABLE = new Set(['READONLY', 'MISCONF'])

const MEANINGS: Readonly<Record<string, string>> = {
  READONLY: 'this Redis is a read-only replica, and the address has to be that of its primary',
  OOM: 'this Redis is full (its maxmemory is used up), and takes nothing more until something is removed',
  MISCONF: 'this Redis refuses writes because it cannot save to its disk',
  LOADING: 'this Redis is still loading its data',
  BUSY: 'this Redis is busy with a script',
  NOAUTH: 'this Redis requires a password, as in redis://:password@host:port',
  WRONGPASS: 'this Redis does not accept the user name and password of the address',
  NOPERM: 'this Redis does not permit its user what is needed here',
  WRONGTYPE: 'a key that is needed here has a value of another type in this Redis',
}
/** How many characters of Redis's own message are repeated. */
const LONGEST_WORDS = 300

/** The code of an error from Redis, for example `OOM`; '' for any other error. */
export function codeOf(error: unknown): string {
  if (!(error instanceof ErrorReply)) return ''
  // Redis before 7 puts a sentence of its own before an error inside a script.
  return /^(?:ERR Error running script .*: -)?([A-Z]+)\b/s.exec(error.message)?.[1] ?? ''
}

/** Redis answers, and will continue to refuse. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ErrorReply && !PASSING.has(codeOf(error))
}

/** Redis takes no writes at present. */
export function isUnwritable(error: unknown): boolean {
  return UNWRITABLE.has(codeOf(error))
}

/** Why Redis cannot be used, for a log or a user. */
export function reasonOf(error: Error): string {
  // If several addresses were tried, the error for all of them has no message.
  const words = error.message !== '' ? error.message : error instanceof AggregateError ? error.errors.map(String).join(', ') : error.name
  const said = words.length > LONGEST_WORDS ? `${words.slice(0, LONGEST_WORDS)}…` : words
  const meaning = MEANINGS[codeOf(error)]
  return meaning === undefined ? said : `${meaning} (${said})`
}
