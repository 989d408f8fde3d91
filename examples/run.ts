// Runs one of the examples by itself, without the server: node --import ./tools/ts.mjs examples/run.ts 3
import { KeyboardInterrupt, run } from '../src/index.ts'
import { examples } from './catalogue.ts'

const wanted = process.argv[2] ?? '1'
const example = examples.find(({ number }) => String(number) === wanted)
if (example === undefined) {
  console.error(`there is no example ${wanted}: 1 to ${examples.length}`)
  process.exitCode = 1
} else {
  try {
    await run(example.main(), { name: 'main' })
  } catch (error) {
    if (!(error instanceof KeyboardInterrupt)) throw error
  }
}
