// Bundles for browsers with Vite, and keeps all its messages.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { build, createLogger, type InlineConfig } from 'vite'
import { importsOf } from './imports.ts'

export interface Bundle {
  /** Every script in the output, its workers' too, by path. */
  scripts: Map<string, string>
  /** Vite's warnings and errors. */
  complaints: string[]
}

/** Bundles `root` (its index.html, or what `config` names) into `outDir`. */
export async function bundle(root: string, outDir: string, config: InlineConfig = {}): Promise<Bundle> {
  const complaints: string[] = []
  const note = (message: string): void => void complaints.push(message)
  const logger = createLogger('silent')
  try {
    await build({
      configFile: false,
      root,
      logLevel: 'warn', // its progress is printed directly, not through the logger
      customLogger: { ...logger, warn: note, warnOnce: note, error: note },
      worker: { format: 'es' },
      ...config,
      build: { outDir, emptyOutDir: true, minify: false, ...config.build },
    })
  } catch (error) {
    note(String(error))
  }
  return { scripts: readScripts(outDir), complaints }
}

function readScripts(folder: string): Map<string, string> {
  const scripts = new Map<string, string>()
  let entries: string[]
  try {
    entries = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  } catch {
    return scripts // nothing was built
  }
  for (const path of entries) if (/\.m?js$/.test(path)) scripts.set(path, readFileSync(join(folder, path), 'utf8'))
  return scripts
}

/** The modules that scripts load from elsewhere: Node's, or those with the name of a package. */
export function foreignModules(scripts: Map<string, string>): string[] {
  return [...scripts].flatMap(([path, text]) => importsOf(path, text)).map(({ target }) => target).filter((target) => /^(node|npm):/.test(target))
}
