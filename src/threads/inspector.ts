// What only V8's inspector knows: the module of a function, and which modules are loaded.
import { Session } from 'node:inspector'
import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'

interface Property {
  name: string
  value?: { value?: { scriptId?: string } }
}

const HANDLE = Symbol.for('loopscope.located')

/** The URL of the module in which `fn` was written; `null` for a function of the platform, or a bound one. */
export function moduleOf(fn: object): string | null {
  return inspect((scripts, post) => {
    const globals = globalThis as { [HANDLE]?: object }
    globals[HANDLE] = fn
    try {
      const expression = `globalThis[Symbol.for('loopscope.located')]`
      const { objectId } = (post('Runtime.evaluate', { expression })['result'] ?? {}) as { objectId?: string }
      if (objectId === undefined) return null
      const properties = post('Runtime.getProperties', { objectId, ownProperties: true })['internalProperties'] as Property[] | undefined
      const location = properties?.find(({ name }) => name === '[[FunctionLocation]]')?.value?.value
      return scripts.get(location?.scriptId ?? '') ?? null
    } finally {
      delete globals[HANDLE]
    }
  })
}

/** The URLs of all modules that are loaded on this thread. */
export function loadedModules(): string[] {
  return inspect((scripts) => [...new Set(scripts.values())])
}

type Post = (method: string, parameters?: object) => Record<string, unknown>

function inspect<T>(look: (scripts: Map<string, string>, post: Post) => T): T {
  const session = new Session()
  const post: Post = (method, parameters = {}) => {
    let answer = {}
    session.post(method, parameters, (error, result) => {
      if (error !== null) throw new Error(`the inspector refused ${method}: ${error.message}`)
      answer = result as object
    })
    return answer
  }
  const scripts = new Map<string, string>()
  session.on('Debugger.scriptParsed', ({ params }) => {
    // Node 22 knows a CommonJS module in TypeScript by its path.
    if (isAbsolute(params.url)) scripts.set(params.scriptId, pathToFileURL(params.url).href)
    else if (params.url.startsWith('file:')) scripts.set(params.scriptId, params.url)
  })
  session.connect()
  try {
    post('Debugger.enable') // reports every script at once
    return look(scripts, post)
  } finally {
    session.disconnect()
  }
}
