// `npm run fuzz:http`: sends malformed and hostile bytes to both ports of a real server, and checks after every batch whether
// it is as before. Ends with code 1 if something was found, 2 for invalid options.
import { readOptions, USAGE, type Options } from './options.ts'
import { report, summary } from './report.ts'
import { run, type Found } from './run.ts'
import { Subject } from './subject.ts'

async function main({ tries, seed, only, most, root }: Options): Promise<boolean> {
  const after: (() => unknown)[] = []
  const subject = await Subject.start({ teardown: (fn) => after.push(fn) }, root)
  try {
    const began = performance.now()
    let shown = 0
    const print = (findings: readonly Found[]): void => {
      for (; shown < findings.length; shown++) console.log(`\n${report(seed, findings[shown] as Found)}`)
    }
    const ran = await run(subject, {
      seed, first: only ?? 0, tries: only === null ? tries : 1, most,
      progress: (ran) => {
        process.stderr.write(`\r${ran.tries} tries, ${Math.round(ran.tries / (performance.now() - began) * 1000)} a second, ${ran.findings.length} findings `)
        print(ran.findings)
      },
    })
    const seconds = (performance.now() - began) / 1000
    for (const finding of await subject.stop()) ran.findings.push({ ...finding, one: null, until: ran.tries })
    process.stderr.write('\n')
    print(ran.findings)
    console.log(`\n${summary(seed, ran, seconds)}`)
    return ran.findings.length === 0
  } finally {
    for (const fn of after) fn()
  }
}

let options: Options
try {
  options = readOptions(process.argv.slice(2))
} catch (error) {
  console.error(`${(error instanceof Error ? error.message : String(error)).split('\n')[0]} (${USAGE})`)
  process.exit(2)
}
process.exitCode = await main(options) ? 0 : 1
