// The choice between the languages of a program: radio buttons, the same wherever programs are shown.
import { useId } from 'preact/hooks'
import { chooseLanguage, language, languages, NAMES } from '../language.ts'

export function LanguageChoice() {
  const name = useId()
  return (
    <fieldset class="radios">
      <legend class="hidden">Language</legend>
      {languages.map((one) => (
        <label key={one}><input type="radio" name={name} checked={language.value === one} onChange={() => chooseLanguage(one)} /> {NAMES[one]}</label>
      ))}
    </fieldset>
  )
}
