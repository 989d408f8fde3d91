// The language in which the reader sees programs, one setting for all of the page: playground, lessons, program panel and
// comparison. The address keeps it, so that a link shows the same; without it, the reader's last choice is taken.
import { batch, computed, signal } from '@preact/signals'
import { address, setAddress } from './address.ts'
import { recall, remember } from './theme.ts'

export const languages = ['typescript', 'python'] as const
export type Language = typeof languages[number]

/** How a language is written. */
export const NAMES: Readonly<Record<Language, string>> = { typescript: 'TypeScript', python: 'Python' }

const FIELD = 'language'

function languageOf(text: string | null): Language | null {
  return languages.find((one) => one === text) ?? null
}

const chosen = signal(languageOf(recall(FIELD)) ?? 'typescript')

export const language = computed<Language>(() => languageOf(address.value.get(FIELD)) ?? chosen.value)

/** The reader's choice, also for the next visit. */
export function chooseLanguage(next: Language): void {
  remember(FIELD, next)
  batch(() => {
    chosen.value = next
    setAddress({ [FIELD]: next })
  })
}

/** Shows this language, as a link requests it; the reader's own choice stays as it is. */
export function showLanguage(next: Language): void {
  if (language.value !== next) setAddress({ [FIELD]: next })
}

export function otherThan(one: Language): Language {
  return one === 'python' ? 'typescript' : 'python'
}
