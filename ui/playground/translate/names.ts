// Names in TypeScript: camelCase, and clear of what the language, the program's imports and its other names take.
import type { Program, Scope, Variable } from './scopes.ts'

const RESERVED = new Set(('break case catch class const continue debugger default delete do else enum export extends false finally for function if import in ' +
  'instanceof new null return super switch this throw true try typeof var void while with yield let static await implements interface package private protected public ' +
  'arguments eval undefined NaN Infinity').split(' '))

/** `say_after` is `sayAfter`; `MAX_SIZE` and `_private` keep their form. */
export function camelCase(name: string): string {
  if (/^_*[A-Z0-9_]+$/.test(name)) return name
  return name.replace(/(?<=[a-zA-Z0-9])_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase()).replace(/^__(?=\w+__$)|(?<=\w)__$/g, '')
}

const SPECIAL: Record<string, string> = {
  __aenter__: 'enter', __aexit__: 'exit', __enter__: 'enter', __exit__: 'exit', __str__: 'toString', __repr__: 'repr', __iter__: '[Symbol.iterator]',
}

/** What a method is called: Python's special ones have names of their own. */
export function methodName(name: string): string {
  return SPECIAL[name] ?? camelCase(name)
}

/** Gives every variable its name; `taken` are those that imports and JavaScript have in this program. */
export function nameVariables(program: Program, taken: ReadonlySet<string>): void {
  const owners = new Map<string, string>()
  const give = (variable: Variable): void => {
    if (variable.kind === 'import') return
    let code = camelCase(variable.name)
    if (code === '_' || code === '') code = variable.name
    while (RESERVED.has(code) || taken.has(code) || (owners.has(code) && owners.get(code) !== variable.name)) code = `${code}_`
    owners.set(code, variable.name)
    variable.code = code
  }
  const scopes = new Set<Scope>([program.module, ...program.scopes.values()])
  for (const scope of scopes) if (scope.kind !== 'class') for (const variable of scope.variables.values()) give(variable)
}
