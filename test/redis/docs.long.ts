// The programs with a RedisQueue in the documentation: they compile, print what the page says on a real redis-server, and say
// what is wrong without one.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { programsOf } from '../support/docs.ts'
import { compile, verdict } from '../support/expected-errors.ts'
import { runProgram } from '../support/program.ts'
import { freePort, noRedis, startRedis } from '../support/redis.ts'

const root = new URL('../..', import.meta.url).pathname

const programs = ['docs/queues.md', 'README.md'].flatMap((page) => programsOf(page, readFileSync(root + page, 'utf8'), 'loopscope/redis'))
const fileOf = ({ page, line }: { page: string; line: number }): string => `${page.replace(/\W/g, '-')}-${line}.ts`
const sourceAt = (source: string, url: string, sources: string): string => source
  .replace("from 'loopscope'", `from '${sources}/index.ts'`).replace("from 'loopscope/redis'", `from '${sources}/redis/index.ts'`)
  .replace('redis://127.0.0.1:6379', url)

t.test('programs with a RedisQueue', { skip: noRedis }, async (t) => {
  const redis = await startRedis(t)
  const compiled = compile(root, [], Object.fromEntries(programs.map((program) => [`docs/${fileOf(program)}`, sourceAt(program.source, redis.url, '../src')])))
  t.equal(programs.length, 2)
  for (const program of programs) {
    await t.test(`${program.page}:${program.line}`, async (t) => {
      t.same(verdict(compiled, `${root}docs/${fileOf(program)}`).differences, [])
      const runAt = (url: string): ReturnType<typeof runProgram> => {
        const folder = t.testdir({ 'program.ts': sourceAt(program.source, url, `${root}src`) })
        return runProgram(`await import('${join(folder, 'program.ts')}')`)
      }
      const { lines, code, errors } = await runAt(redis.url)
      t.same(lines, program.expected ?? ['got a'])
      t.equal(code, 0, errors)

      const without = await runAt(`redis://127.0.0.1:${await freePort()}`)
      t.match(without, { lines: [], code: 1 })
      t.match(without.errors.match(/^.*cannot use Redis.*$/gm), [/^Error: <RedisQueue \w+ maxsize=\d+>: cannot use Redis at 127\.0\.0\.1:\d+: .*ECONNREFUSED/], 'one error')
    })
  }
})
