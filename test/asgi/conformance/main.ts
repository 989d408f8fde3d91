// `npm run conformance:asgi`: judges ASGI servers by the specification. Ends with code 1 if one fails a case that is a must, 2
// for invalid options or a server that cannot be judged.
import { readFileSync, writeFileSync } from 'node:fs'
import { ALL_CASES, UNOBSERVABLE } from './cases.ts'
import { readOptions, USAGE } from './options.ts'
import { intoMarks, markdown, text } from './report.ts'
import { judgeAll, type Verdict } from './suite.ts'
import type { Target } from './targets.ts'

async function main(args: string[]): Promise<number> {
  const { targets, json, markdown: page, only } = readOptions(args)
  const wanted = <T extends { id: string }>(all: T[]): T[] => (only === null ? all : all.filter(({ id }) => only.includes(id)))
  const results: { server: Target['name']; verdicts: Verdict[] }[] = []
  for (const target of targets) {
    const verdicts = await judgeAll(target, wanted(ALL_CASES), wanted(UNOBSERVABLE), () => process.stderr.isTTY && process.stderr.write('.'))
    results.push({ server: target.name, verdicts })
    if (!json) console.log(text(target.name, verdicts))
  }
  if (json) console.log(JSON.stringify(results, null, 2))
  if (page !== null) writeFileSync(page, intoMarks(readFileSync(page, 'utf8'), markdown(results)))
  return results.some(({ verdicts }) => verdicts.some(({ outcome, level }) => outcome === 'failed' && level === 'must')) ? 1 : 0
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(`${(error as Error).message.split('\n')[0]} (${USAGE})`)
  return 2
})
