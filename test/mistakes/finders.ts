// What finds a mistake: TypeScript, the lint rules, and Node, with the message of each.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { Linter } from 'eslint'
import ts from 'typescript'
import tseslint from 'typescript-eslint'
import loopscope from '../../src/eslint/index.ts'
import { compile } from '../support/expected-errors.ts'

const root = new URL('../../', import.meta.url).pathname

/** The first errors of TypeScript for each program, `TS2322: …`; `null` if there are none. */
export function byTypeScript(sources: string[]): { program: ts.Program; messages: (string | null)[] } {
  const pathOf = (at: number): string => `test/mistakes/${at}.ts`
  const program = compile(root, [], Object.fromEntries(sources.map((source, at) => [pathOf(at), source])))
  const messages = sources.map((_source, at) => {
    const [first] = ts.getPreEmitDiagnostics(program, program.getSourceFile(root + pathOf(at)))
    if (first === undefined) return null
    const lines = ts.flattenDiagnosticMessageText(first.messageText, '\n').split('\n')
    // The last line says what exactly does not fit.
    const says = lines.length > 1 ? `${lines[0]!} … ${lines.at(-1)!.trim()}` : lines[0]!
    return `TS${first.code}: ${says}`
  })
  return { program, messages }
}

/** What the recommended rules report about each program. */
export function byLint(sources: string[], program: ts.Program): string[][] {
  const linter = new Linter({ cwd: root })
  const config: Linter.Config[] = [
    { files: ['**/*.ts'], languageOptions: { parser: tseslint.parser as Linter.Parser, parserOptions: { programs: [program], projectService: false, project: null } } },
    { ...loopscope.configs.recommended, files: ['**/*.ts'] },
  ]
  return sources.map((source, at) => linter.verify(source, config, { filename: `${root}test/mistakes/${at}.ts` })
    .filter(({ ruleId }) => ruleId?.startsWith('loopscope/'))
    .map(({ ruleId, message }) => `${ruleId!}: ${message}`))
}

export interface Found {
  thrown: string | null
  reported: string[]
}

/** What the programs at these paths throw and report, each in the same Node. */
export async function byNode(paths: string[], debug: boolean): Promise<Found[]> {
  const env = { ...process.env, LOOPSCOPE_DEBUG: debug ? '1' : '' }
  const { stdout } = await promisify(execFile)(
    process.execPath, ['--import=./tools/ts.mjs', '--expose-gc', 'test/mistakes/run.ts', ...paths], { cwd: root, env, maxBuffer: 2 ** 24 },
  )
  return JSON.parse(stdout) as Found[]
}
