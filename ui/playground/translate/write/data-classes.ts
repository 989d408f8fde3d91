// Dataclasses and Enums: the members, constructors and texts that Python makes for them.
import { emptyOf } from '../api.ts'
import { dataFields, findField, findMethod, ownDataFields } from '../class-members.ts'
import { quoted } from '../code.ts'
import { camelCase } from '../names.ts'
import { dotted, type ClassInfo } from '../scopes.ts'
import type { Expression } from '../tree.ts'
import { Type } from '../types.ts'
import type { StatementWriter } from './statement-writer.ts'
import { shapeOf } from './value-text.ts'

export function enumMembers(s: StatementWriter, cls: ClassInfo): void {
  const type = s.w.ts(s.w.infer.enumValues(cls))
  let auto = 0
  for (const statement of cls.node.body) {
    const target = statement.type === 'Assign' ? statement.targets[0] : undefined
    if (statement.type !== 'Assign' || target?.type !== 'Name') continue
    const { value } = statement
    const isAuto = value.type === 'Call' && dotted(value.func).endsWith('auto')
    s.put(`static readonly ${camelCase(target.id)} = new ${cls.variable.code}(${quoted(target.id)}, ${isAuto ? ++auto : s.code(value)})`)
  }
  s.put('')
  s.put(`private constructor(readonly name: string, readonly value: ${type}) {}`)
}

export function dataConstructor(s: StatementWriter, cls: ClassInfo): void {
  const own = new Set(ownDataFields(cls).map(({ name }) => name))
  const parameters = dataFields(cls).map(({ name, value }) => {
    const type = findField(cls, name) ?? new Type()
    const fallback = value === null ? null : fieldDefault(s, value, type)
    return `${own.has(name) ? 'public ' : ''}${camelCase(name)}: ${s.w.ts(type)}${fallback === null ? '' : ` = ${fallback}`}`
  })
  const [base] = cls.bases
  const inner: string[] = []
  if (base !== undefined) inner.push(`super(${dataFields(base).map(({ name }) => camelCase(name)).join(', ')})`)
  if (cls.methods.has('__post_init__')) inner.push('this.postInit()')
  const head = `constructor(${parameters.join(', ')}) `
  if (inner.length === 0) s.put(`${head}{}`)
  else s.braced(head, () => inner.forEach((line) => s.put(line)))
}

/** What a field has if the constructor is not given it. */
function fieldDefault(s: StatementWriter, value: Expression, type: Type): string | null {
  if (value.type !== 'Call' || !/(^|\.)field$/.test(dotted(value.func))) return s.code(value)
  const keyword = (name: string): Expression | undefined => value.keywords.find(({ arg }) => arg === name)?.value
  const [fixed, made] = [keyword('default'), keyword('default_factory')]
  if (fixed !== undefined) return s.code(fixed)
  if (made === undefined) return null
  return emptyOf(s.w, made, type) ?? s.code(made.type === 'Lambda' ? made.body : { ...value, func: made, args: [], keywords: [] })
}

/** How a dataclass or Enum prints, unless it says so itself. */
export function dataText(s: StatementWriter, cls: ClassInfo): void {
  if (findMethod(cls, '__str__', '__repr__') !== null) return
  const { w } = s
  const { name } = cls.node
  s.put('')
  s.braced('toString(): string ', () => {
    const fields = dataFields(cls).map((field) => {
      const shape = shapeOf(w, findField(cls, field.name) ?? new Type())
      if (shape === null) w.problem(cls.node, `how the field ${field.name} prints is not known`)
      return `${field.name}=\${${w.python('repr')}(this.${camelCase(field.name)}${shape ? `, '${shape}'` : ''})}`
    })
    s.put(`return \`${cls.isEnum ? `${name}.\${this.name}` : `${name}(${fields.join(', ')})`}\``)
  })
}
