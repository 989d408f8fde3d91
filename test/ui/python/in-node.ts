// The page's Python recorder without the page: the same modules, in CPython inside Node.
import { readFile } from 'node:fs/promises'
import { EventBuilder } from '../../../src/events/builder.ts'
import type { LoopEvent } from '../../../src/events/schema.ts'
import { cutEvent } from '../../../src/events/texts.ts'
import { startPython } from '../../support/pyodide.ts'

const FOLDER = new URL('../../../ui/playground/python/', import.meta.url)
const MODULES = ['places', 'waits', 'reports', 'loop', 'watch', 'recorder', 'absent', 'program']

export interface InNode {
  events: LoopEvent[]
  /** What was printed, inside of a loop and outside. */
  lines: string[]
  said: { type: string; text?: string }[]
  ending: { outcome: string; failure: { text: string; stack: { line: number }[] } | null; note: string | null }
}

/** Runs one program in virtual time; `recorded` says whether its events are. */
export async function loadInNode(): Promise<(code: string, recorded?: boolean) => InNode> {
  const python = await startPython()
  let ran: InNode | null = null
  let builders: EventBuilder[] = []
  python.registerJsModule('_host', {
    tell(loop: number, facts: string) {
      const builder = builders[loop] ??= new EventBuilder((event) => {
        ran?.events.push(cutEvent(event))
        if (event.type === 'task.printed') ran?.lines.push(event.text)
      })
      for (const [name, ...values] of JSON.parse(facts) as [string, ...unknown[]][]) (builder as unknown as Record<string, (...values: unknown[]) => void>)[name]?.(...values)
    },
    say(text: string) {
      const message = JSON.parse(text) as InNode['said'][number]
      ran?.said.push(message)
      if (message.type === 'line') ran?.lines.push(message.text ?? '')
    },
    flush: () => {}, interrupted: () => false,
  })
  const files = python.FS as unknown as { mkdirTree(path: string): void; writeFile(path: string, text: string): void }
  files.mkdirTree('/lib/playground/loopscope_page')
  for (const name of MODULES) files.writeFile(`/lib/playground/loopscope_page/${name}.py`, await readFile(new URL(`${name}.py`, FOLDER), 'utf8'))
  python.runPython("import sys; sys.path.insert(0, '/lib/playground')")
  python.runPython(await readFile(new URL('fresh.py', import.meta.url), 'utf8'))
  const fresh = (python.globals as unknown as { get(name: string): (code: string, recorded: boolean) => string }).get('run_fresh')
  return (code, recorded = true) => {
    ran = { events: [], lines: [], said: [], ending: { outcome: '', failure: null, note: null } }
    builders = []
    ran.ending = JSON.parse(fresh(code, recorded)) as InNode['ending']
    return ran
  }
}
