// A Lua script that Redis runs as one command, by its hash if it knows it already.
import { createHash } from 'node:crypto'
import type { Client } from './connection.ts'
import { codeOf } from './refusals.ts'

export interface Script {
  readonly source: string
  readonly sha: string
}

export function scriptOf(source: string): Script {
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

export async function runScript(client: Client, { sha, source }: Script, keys: string[], args: readonly (string | number)[] = []): Promise<unknown> {
  const options = { keys, arguments: args.map(String) }
  try {
    return await client.evalSha(sha, options)
  } catch (error) {
    if (codeOf(error) !== 'NOSCRIPT') throw error
    return client.eval(source, options)
  }
}
