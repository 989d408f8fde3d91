#!/usr/bin/env node
// The command of the package: `loopscope load …`.
import { main } from './main.ts'

const [command, ...rest] = process.argv.slice(2)
if (command === 'load') process.exitCode = await main(rest)
else {
  console.error(command === undefined ? 'loopscope load …: measures a server; see loopscope load --help' : `loopscope has no command ${command}; it has: load`)
  process.exitCode = 2
}
