// Starts the processes of member.ts, which is bundled once so that they start fast, and sends them commands.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'vite'
import type { Command } from './member.ts'

/** Bundles a member's program into `folder`; returns its path. */
export async function bundleMember(folder: string, program = 'member'): Promise<string> {
  const name = `${program}.mjs`
  await build({
    configFile: false, logLevel: 'error',
    build: { ssr: join(import.meta.dirname, `${program}.ts`), outDir: folder, target: 'node20', rollupOptions: { output: { entryFileNames: name } } },
    ssr: { noExternal: true },
  })
  return join(folder, name)
}

export class Member {
  readonly lines: string[] = []
  readonly #child: ChildProcess
  readonly #ended: Promise<unknown>
  #errors = ''
  #listeners: (() => void)[] = []

  constructor(program: string, url: string) {
    // Through env, because tap adds a module to every process that it sees started.
    this.#child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--enable-source-maps', program, url])
    this.#ended = once(this.#child, 'close')
    this.#child.stderr!.on('data', (chunk) => { this.#errors += String(chunk) })
    this.#child.stdin!.on('error', () => {})
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.lines.push(line)
      for (const listener of this.#listeners) listener()
    })
    void this.#ended.then(() => {
      for (const listener of this.#listeners) listener()
    })
  }

  tell(command: Command): void {
    this.#child.stdin!.write(`${JSON.stringify(command)}\n`)
  }

  count(beginning: string): number {
    return this.lines.filter((line) => line.startsWith(beginning)).length
  }

  /** Waits until it has printed `count` lines that begin like this. */
  async said(beginning: string, count = 1): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const listener = (): void => {
        const isOver = this.#child.exitCode !== null || this.#child.signalCode !== null
        if (this.count(beginning) < count && !isOver) return
        this.#listeners = this.#listeners.filter((other) => other !== listener)
        if (this.count(beginning) >= count) resolve()
        else reject(new Error(`it ended before it said ${beginning}: ${this.lines.slice(-5).join(', ')} ${this.#errors}`))
      }
      this.#listeners.push(listener)
      listener()
    })
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Kills it; resolves when all its output was read. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }
}
