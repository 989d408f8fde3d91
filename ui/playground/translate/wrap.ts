// Breaks long lines of the translation at the commas of a list, a call or an object.
const WIDTH = 120

interface From {
  text: string
  from: number
}

export function wrapped<L extends From>(lines: L[]): L[] {
  return lines.flatMap((line) => line.text.length <= WIDTH || line.text.trimStart().startsWith('//') ? [line] : broken(line.text).map((text) => ({ ...line, text })))
}

function broken(text: string): string[] {
  if (text.length <= WIDTH) return [text]
  const list = outermost(text)
  if (list === null) return [text]
  const indent = /^ */.exec(text)?.[0] ?? ''
  const parts = list.parts.flatMap((part) => broken(`${indent}  ${part.trim()},`))
  return [text.slice(0, list.open + 1), ...parts, `${indent}${text.slice(list.close)}`]
}

interface List {
  open: number
  close: number
  parts: string[]
}

/** The outermost brackets with several things in them: the longest of these. */
function outermost(text: string): List | null {
  const lists: List[] = []
  const open: { at: number; commas: number[] }[] = []
  let quote = ''
  const templates: number[] = []
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] as string
    if (quote !== '') {
      if (letter === '\\') i++
      else if (quote === '`' && letter === '$' && text[i + 1] === '{') {
        templates.push(open.length)
        open.push({ at: -1, commas: [] })
        quote = ''
        i++
      } else if (letter === quote) quote = ''
    } else if ("'\"`".includes(letter)) quote = letter
    else if ('([{'.includes(letter)) open.push({ at: i, commas: [] })
    else if (letter === ',') open.at(-1)?.commas.push(i)
    else if (')]}'.includes(letter)) {
      const begun = open.pop()
      if (begun === undefined) return null
      if (templates.at(-1) === open.length && letter === '}') {
        templates.pop()
        quote = '`'
      } else if (begun.commas.length > 0 && templates.length === 0 && !/[{]$/.test(text.slice(i + 1).trim())) {
        const ends = [...begun.commas, i]
        lists.push({ open: begun.at, close: i, parts: ends.map((end, n) => text.slice(n === 0 ? begun.at + 1 : (ends[n - 1] as number) + 1, end)) })
      }
    }
  }
  const outer = lists.filter((list) => !lists.some((other) => other.open < list.open && other.close > list.close))
  return outer.sort((a, b) => (b.close - b.open) - (a.close - a.open))[0] ?? null
}
