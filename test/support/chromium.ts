// Finds a Chromium to drive: the one that LOOPSCOPE_CHROMIUM names, the system's, or that of @sparticuz/chromium if it is
// installed. Otherwise it returns the reason, for the test's skip.
import { tmpdir } from 'node:os'
import { chromium, type Browser, type LaunchOptions } from 'playwright-core'
import { isExecutable } from './programs.ts'

const SYSTEM = '/usr/bin/chromium'

// A test uses only loopback.
const QUIET = ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--no-first-run']

interface Packed {
  default: { args: string[]; executablePath(): Promise<string> }
}

async function unpacked(): Promise<LaunchOptions | null> {
  // It unpacks its system libraries only where it assumes a bare machine.
  process.env['AWS_EXECUTION_ENV'] ??= 'AWS_Lambda_nodejs22.x'
  const name = '@sparticuz/chromium'
  let packed: Packed
  try {
    packed = await import(name) as Packed
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND') return null
    throw error
  }
  const executablePath = await packed.default.executablePath()
  const libraries = [`${tmpdir()}/al2023/lib`, process.env['LD_LIBRARY_PATH']].filter((path) => path !== undefined)
  return {
    executablePath,
    // In a single process, the first page that closes ends the browser.
    args: [...packed.default.args.filter((argument) => argument !== '--single-process'), ...QUIET],
    env: { ...process.env as Record<string, string>, LD_LIBRARY_PATH: libraries.join(':') },
  }
}

/** How to launch Chromium; a string says why there is no Chromium. Throws if LOOPSCOPE_CHROMIUM does not name a program. */
export async function findChromium(): Promise<LaunchOptions | string> {
  const named = process.env['LOOPSCOPE_CHROMIUM']
  if (named !== undefined) {
    if (!isExecutable(named)) throw new Error(`LOOPSCOPE_CHROMIUM is ${named}, and there is no program there`)
    return { executablePath: named, args: QUIET }
  }
  if (isExecutable(SYSTEM)) return { executablePath: SYSTEM, args: QUIET }
  return await unpacked() ?? `no Chromium: set LOOPSCOPE_CHROMIUM, or install ${SYSTEM} or the package @sparticuz/chromium`
}

export function launch(options: LaunchOptions): Promise<Browser> {
  return chromium.launch({ ...options, headless: true })
}
