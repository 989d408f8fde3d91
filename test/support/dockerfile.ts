// Reads the parts of a Dockerfile and a .dockerignore that ours use: stages, their instructions, and which files of the tree
// reach a build.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

export interface Stage {
  /** Its name, if it has one. */
  name: string | null
  base: string
  steps: { instruction: string; text: string }[]
}

export interface Copy {
  /** The stage that it comes from; `null`: the build's context. */
  from: string | null
  sources: string[]
  target: string
}

/** The stages in order, without comments and line continuations. */
export function stagesOf(dockerfile: string): Stage[] {
  const lines = dockerfile.replace(/\\\n\s*/g, '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'))
  const stages: Stage[] = []
  for (const line of lines) {
    const [, instruction, text] = /^([A-Z]+) +(.*)$/.exec(line) ?? []
    if (instruction === undefined || text === undefined) throw new Error(`not an instruction: ${line}`)
    if (instruction === 'FROM') {
      const [, base, name = null] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? []
      stages.push({ name, base: base!, steps: [] })
    } else stages.at(-1)!.steps.push({ instruction, text })
  }
  return stages
}

export function copiesOf({ steps }: Stage): Copy[] {
  return steps.filter(({ instruction }) => instruction === 'COPY').map(({ text }) => {
    const words = text.split(/ +/)
    const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : null
    return { from, sources: words.slice(0, -1), target: words.at(-1)! }
  })
}

/** Whether a path of the tree is excluded from a build: the last pattern that matches it, or a folder it is in, decides. */
export function ignores(dockerignore: string): (path: string) => boolean {
  const rules = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#')).map((line) => {
    const pattern = line.replace(/^!/, '').split('/').map((part) => (part === '**' ? '(?:.*/)?' : `${part.replace(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('*', '[^/]*')}/`)).join('')
    return { keeps: line.startsWith('!'), pattern: new RegExp(`^${pattern.replace(/\/$/, '')}(?:/|$)`) }
  })
  return (path) => rules.reduce((out, { keeps, pattern }) => (pattern.test(path) ? !keeps : out), false)
}

/** The files that a build may copy, by their paths in the tree. */
export function contextOf(root: string, dockerignore: string): string[] {
  const ignored = ignores(dockerignore)
  const files: string[] = []
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (/(^|\/)(node_modules|\.git|\.tap)$/.test(path)) continue
      if (entry.isDirectory()) walk(path)
      else if (!ignored(path)) files.push(path)
    }
  }
  walk('')
  return files
}
