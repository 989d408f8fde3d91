// TypeScript for one program: its errors, completions and hints, and the JavaScript that runs. Files are in a map; nothing
// is read from elsewhere.
import ts from 'typescript'
import type { CompiledModule } from '../messages.ts'
import { guardLoops } from './guard.ts'
import { stepLines } from './steps.ts'

export const PROGRAM = 'program.ts'
/** The most diagnostics, and the characters of one: a program may have as many as it has characters. */
const MOST_DIAGNOSTICS = 100
const LONGEST_MESSAGE = 2000

/** A diagnostic of TypeScript, from character to character. */
export interface Diagnostic {
  from: number
  to: number
  line: number
  message: string
  severity: 'error' | 'warning' | 'info'
  /** Whether it prevents the program from running. */
  fatal: boolean
}

export interface Completion {
  label: string
  kind: string
  /** TypeScript's key for sorting. */
  rank: string
}

export interface Hover {
  from: number
  to: number
  signature: string
  documentation: string
}

export interface Compiled {
  modules: CompiledModule[]
  diagnostics: Diagnostic[]
  /** The lines at which the program can stop, in order; none unless it was compiled for stepping. */
  lines: number[]
}

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  moduleDetection: ts.ModuleDetectionKind.Force,
  lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts', 'lib.webworker.d.ts'],
  types: [],
  strict: true,
  sourceMap: true,
  rewriteRelativeImportExtensions: true,
  paths: { loopscope: ['/loopscope/browser.d.ts'] },
  skipLibCheck: true,
}

export class Service {
  readonly #files: Map<string, string>
  readonly #versions = new Map<string, number>()
  readonly #service: ts.LanguageService
  #program = ''

  /** `files` contains declarations under `/lib/` and `/loopscope/`, and under `/` the modules that a program may import. */
  constructor(files: ReadonlyMap<string, string>) {
    this.#files = new Map(files)
    this.#service = ts.createLanguageService(this.#host(), ts.createDocumentRegistry())
    this.update('')
  }

  update(text: string): void {
    if (text === this.#program && this.#versions.has(path(PROGRAM))) return
    this.#program = text
    this.#files.set(path(PROGRAM), text)
    this.#versions.set(path(PROGRAM), (this.#versions.get(path(PROGRAM)) ?? 0) + 1)
  }

  diagnostics(): Diagnostic[] {
    const syntactic = this.#service.getSyntacticDiagnostics(path(PROGRAM))
    const semantic = this.#service.getSemanticDiagnostics(path(PROGRAM))
    const found = [
      ...syntactic.slice(0, MOST_DIAGNOSTICS).map((diagnostic) => this.#say(diagnostic, true)),
      ...semantic.slice(0, MOST_DIAGNOSTICS).map((diagnostic) => this.#say(diagnostic, false)),
    ]
    return found.sort((a, b) => a.from - b.from)
  }

  /** The program and its imports as JavaScript, on request so that it can be stepped by line; no modules while its syntax is wrong. */
  compile(stepped = false): Compiled {
    const diagnostics = this.diagnostics()
    if (diagnostics.some(({ fatal }) => fatal)) return { modules: [], diagnostics, lines: [] }
    const lines = new Set<number>()
    const program = this.#service.getProgram() as ts.Program
    const modules = program.getSourceFiles()
      .filter(({ fileName, isDeclarationFile }) => !isDeclarationFile && fileName.lastIndexOf('/') === 0)
      .map((source) => emit(program, source, source.fileName !== path(PROGRAM) ? [] : stepped ? [stepLines(lines), guardLoops] : [guardLoops]))
    return { modules, diagnostics, lines: [...lines].sort((a, b) => a - b) }
  }

  completions(position: number): Completion[] {
    const info = this.#service.getCompletionsAtPosition(path(PROGRAM), position, { includeCompletionsForModuleExports: false })
    return (info?.entries ?? []).filter(({ kind }) => kind !== ts.ScriptElementKind.warning).map(({ name, kind, sortText }) => ({ label: name, kind, rank: sortText }))
  }

  hover(position: number): Hover | null {
    const info = this.#service.getQuickInfoAtPosition(path(PROGRAM), position)
    if (info === undefined) return null
    return {
      from: info.textSpan.start, to: info.textSpan.start + info.textSpan.length,
      signature: ts.displayPartsToString(info.displayParts), documentation: ts.displayPartsToString(info.documentation),
    }
  }

  #say({ start = 0, length = 0, messageText, category, file }: ts.Diagnostic, fatal: boolean): Diagnostic {
    const severity = category === ts.DiagnosticCategory.Error ? 'error' : category === ts.DiagnosticCategory.Warning ? 'warning' : 'info'
    return {
      from: start, to: start + length, line: (file?.getLineAndCharacterOfPosition(start).line ?? 0) + 1,
      message: ts.flattenDiagnosticMessageText(messageText, '\n').slice(0, LONGEST_MESSAGE), severity, fatal,
    }
  }

  #host(): ts.LanguageServiceHost {
    const files = this.#files
    return {
      getCompilationSettings: () => OPTIONS,
      getScriptFileNames: () => [path(PROGRAM)],
      getScriptVersion: (name) => String(this.#versions.get(name) ?? 1),
      getScriptSnapshot: (name) => {
        const text = files.get(name)
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
      },
      getCurrentDirectory: () => '/',
      getDefaultLibFileName: () => '/lib/lib.es2023.d.ts',
      fileExists: (name) => files.has(name),
      readFile: (name) => files.get(name),
      directoryExists: (name) => [...files.keys()].some((file) => file.startsWith(name.endsWith('/') ? name : `${name}/`)),
      getDirectories: () => [],
      useCaseSensitiveFileNames: () => true,
    }
  }
}

function path(name: string): string {
  return `/${name}`
}

function emit(program: ts.Program, source: ts.SourceFile, before: ts.TransformerFactory<ts.SourceFile>[]): CompiledModule {
  const module: CompiledModule = { name: source.fileName.slice(1), code: '', mappings: '', imports: [] }
  program.emit(source, (name, text) => {
    if (name.endsWith('.map')) module.mappings = (JSON.parse(text) as { mappings: string }).mappings
    else module.code = text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
  }, undefined, false, { before })
  module.imports = importsOf(module.code)
  return module
}

/** The places of the specifiers in the module's imports, within the quotes. */
function importsOf(code: string): CompiledModule['imports'] {
  return ts.preProcessFile(code, true, false).importedFiles.map(({ fileName, pos }) => {
    const start = code.indexOf(fileName, pos)
    return { specifier: fileName, start, end: start + fileName.length }
  })
}
