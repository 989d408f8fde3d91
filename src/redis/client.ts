// @redis/client, a package that users of Redis install themselves. It is required, not imported: a missing package is then
// reported with a clear message, when it is needed.
import { createRequire } from 'node:module'
import type * as redis from '@redis/client'

function load(): typeof redis {
  // In a bundle `import.meta` may be empty.
  const require = createRequire((import.meta.url as string | undefined) ?? `${process.cwd()}/`)
  try {
    return require('@redis/client') as typeof redis
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    if (code !== 'MODULE_NOT_FOUND' || !message.includes("'@redis/client'")) throw error
    throw new Error('loopscope/redis needs a package that is not installed: npm install @redis/client@6')
  }
}

export const { createClient, ErrorReply } = load()
