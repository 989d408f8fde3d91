// Compares TypeScript files with the errors that they announce: a line that ends in `// error: TS2345` must have exactly these
// errors, and no other line may have any.
import ts from 'typescript'

const MARK = / \/\/ error: (.+)$/

/** Compiles files with the project's `tsconfig.json` settings; some of them may exist in memory only. */
export function compile(root: string, paths: string[], inMemory: Record<string, string> = {}): ts.Program {
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, (path) => ts.sys.readFile(path)) as { config: unknown }
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost({ ...options, noEmit: true })
  const readFile = host.readFile.bind(host)
  const fileExists = host.fileExists.bind(host)
  const virtual = new Map(Object.entries(inMemory).map(([path, text]) => [root + path, text]))
  host.readFile = (path) => virtual.get(path) ?? readFile(path)
  host.fileExists = (path) => virtual.has(path) || fileExists(path)
  return ts.createProgram([...paths.map((path) => root + path), ...virtual.keys()], { ...options, noEmit: true }, host)
}

export interface Verdict {
  /** How many lines announce errors. */
  announced: number
  /** The lines for which TypeScript and the file disagree. */
  differences: string[]
}

export function verdict(program: ts.Program, path: string): Verdict {
  const source = program.getSourceFile(path)
  if (source === undefined) throw new Error(`${path} is not part of the program`)
  const errors = new Map<number, ts.Diagnostic[]>()
  for (const diagnostic of ts.getPreEmitDiagnostics(program, source)) {
    const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0)
    errors.set(line, [...errors.get(line) ?? [], diagnostic])
  }
  const lines = source.text.split('\n')
  const differences = lines.flatMap((text, line) => {
    const found = errors.get(line) ?? []
    const wanted = MARK.exec(text)?.[1] ?? 'no error'
    const got = found.length === 0 ? 'no error' : found.map(({ code }) => `TS${code}`).join(', ')
    if (wanted === got) return []
    const why = found.map(({ messageText }) => `\n  ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`).join('')
    return [`line ${line + 1}: wanted ${wanted}, got ${got}: ${text.trim()}${why}`]
  })
  return { announced: lines.filter((text) => MARK.test(text)).length, differences }
}
