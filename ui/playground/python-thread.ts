// CPython in this page: one thread for all that run Python here, started as soon as Python is chosen and again after each run,
// so that a program begins at once and the editor's program can be parsed. It ends some time after the last user has gone.
import { computed, signal } from '@preact/signals'
import type { Parsed } from './messages.ts'
import { Threads, type Progress } from './threads.ts'

/** How a Python program is called in places. */
export const PYTHON_FILE = 'program.py'
/** Milliseconds that it waits for another user: from one part of the page to the next. */
const IDLE = 30_000

const state = signal<Progress>({ is: 'absent' })

/** What a reader waits for, or why there is no Python; null when it is ready. */
export const pythonNews = computed<string | null>(() => {
  const { value } = state
  switch (value.is) {
    case 'absent': return 'CPython 3.14 is loading …'
    case 'starting': return 'CPython 3.14 starts …'
    case 'loading': return `CPython 3.14 is loading: ${megabytes(value.bytes)} of ${megabytes(value.of)} MB.`
    case 'ready': return null
    case 'failed': return value.why
  }
})

export const pythonFailed = computed(() => state.value.is === 'failed')

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1)
}

class PythonThread {
  #threads: Threads | null = null
  #users = 0
  #leaving: ReturnType<typeof setTimeout> | undefined

  /** Keeps it, until the returned function is called. */
  use(): () => void {
    this.#users++
    clearTimeout(this.#leaving)
    let used = true
    return () => {
      if (!used) return
      used = false
      if (--this.#users === 0) this.#leaving = setTimeout(() => this.#close(), IDLE)
    }
  }

  /** The threads, for a run. */
  get threads(): Threads {
    return this.#threads ??= new Threads(document.body, (progress) => { state.value = progress })
  }

  /** Starts it, unless it has started. */
  prepare(): void {
    this.threads.prepare().catch(() => {})
  }

  /** The syntax tree of a program, or what is wrong with it; once no program runs. */
  parse(code: string): Promise<Parsed> {
    return this.threads.parse(code)
  }

  #close(): void {
    this.#threads?.remove()
    this.#threads = null
    state.value = { is: 'absent' }
  }
}

export const python = new PythonThread()
