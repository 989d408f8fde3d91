// Puts the playground into an element of the page.
import { h, render } from 'preact'
import { Playground } from './Playground.tsx'
import { Playground as Model } from './model.ts'
import './playground.css'

/** Fills `element`; the returned function empties it and ends the running program. */
export function mountPlayground(element: HTMLElement): () => void {
  element.textContent = ''
  const model = new Model(element)
  const arrive = (): void => void model.arrive()
  addEventListener('hashchange', arrive)
  void model.arrive().then(() => {
    const place = document.createElement('div')
    place.className = 'playground-place'
    element.append(place)
    render(h(Playground, { model }), place)
    model.settle()
  })
  return () => {
    removeEventListener('hashchange', arrive)
    render(null, element.querySelector('.playground-place') ?? element)
    model.close()
    element.textContent = ''
  }
}
