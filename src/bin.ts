#!/usr/bin/env node
// The command of the package: `loopscope run …`, `loopscope load …`. Only the code of the chosen one is loaded.
import { EXIT } from './command/exit.ts'

const COMMANDS: Record<string, { what: string; run: (args: readonly string[]) => Promise<number> }> = {
  run: { what: 'watches a program', run: async (args) => (await import('./start/run.ts')).main(args) },
  view: { what: 'shows a recording', run: async (args) => (await import('./start/view.ts')).main(args) },
  load: { what: 'measures a server', run: async (args) => (await import('./load/main.ts')).main(args) },
  ps: { what: 'lists the tasks of a running program', run: async (args) => (await import('./ps/command.ts')).main('ps', args) },
  pstree: { what: 'shows which of them await which', run: async (args) => (await import('./ps/command.ts')).main('pstree', args) },
  asgi: { what: 'serves an ASGI application', run: async (args) => (await import('./asgi/command.ts')).main(args) },
}

const [name, ...rest] = process.argv.slice(2)
const list = Object.entries(COMMANDS).map(([command, { what }]) => `  loopscope ${command} …   ${what}; see loopscope ${command} --help`).join('\n')
const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
if (command !== undefined) process.exitCode = await command.run(rest)
else if (name === '--help') console.log(list)
else {
  console.error(name === undefined ? list : `loopscope has no command ${name}; it has:\n${list}`)
  process.exitCode = EXIT.usage
}
