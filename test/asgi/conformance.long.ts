// The conformance suite as a command, on our server and on those of Debian: the verdicts are those of docs/asgi-conformance.md.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { runCommand } from '../support/command.ts'
import { missing } from './conformance/options.ts'
import { MARKS } from './conformance/report.ts'
import type { Verdict } from './conformance/suite.ts'
import { versionOf } from './conformance/targets.ts'

const ROOT = join(import.meta.dirname, '../..')
const page = readFileSync(join(ROOT, 'docs/asgi-conformance.md'), 'utf8')
const cells = page.slice(page.indexOf(MARKS[0]), page.indexOf(MARKS[1])).split('\n').filter((line) => line.startsWith('| '))
  .map((line) => line.slice(2, -2).split(/ (?<!\\)\| /).map((cell) => cell.replaceAll('\\|', '|').replaceAll('**', '').replace('–', 'not observable')))
const [head = [], ...rows] = cells

/** The command's verdicts about a server, and its exit code. */
async function judge(server: string): Promise<{ code: number; name: string; verdicts: Verdict[] }> {
  const { code, stdout, stderr } = await runCommand('asgi/conformance/main.ts', '--server', server, '--json')
  if (stdout === '') throw new Error(stderr)
  const [result] = JSON.parse(stdout) as { server: string; verdicts: Verdict[] }[]
  return { code, name: result!.server, verdicts: result!.verdicts }
}

for (const server of ['ours', 'uvicorn', 'hypercorn'] as const) {
  const version = versionOf(server)
  t.test(server, { skip: version === null && missing(server) }, async (t) => {
    const { code, name, verdicts } = await judge(server)
    const column = head.indexOf(name)
    t.equal(code, server === 'ours' ? 0 : 1, 'a failed must is the exit code 1')
    if (column < 0) {
      // The page is about other versions: what every server has to do is still judged.
      t.comment(`the page does not describe ${name}, but ${head.slice(4).join(', ')}`)
      t.same(verdicts.filter(({ id, outcome }) => ['C1', 'C2', 'C3', 'H4', 'H5'].includes(id) && outcome === 'failed'), [])
      return
    }
    t.same(verdicts.map(({ id, title, outcome }) => [id, title, outcome]), rows.filter((row) => row.length === head.length).map((row) => [row[0], row[2], row[column]]))
  })
}
