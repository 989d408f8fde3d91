// A page of many rows, rendered to a string.
// asks: /wait /page
// expects: function=page line=here kind=javascript request=/page
// packages: react@19.1.0 react-dom@19.1.0
import { createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { serve } from './serve.mjs'

const Row = ({ id }) => createElement('tr', null, createElement('td', null, id), createElement('td', null, `the name of row ${id}`))
const Table = () => createElement('table', null, createElement('tbody', null, Array.from({ length: 60_000 }, (_, id) => createElement(Row, { key: id, id }))))

function page() {
  return renderToString(createElement(Table)) // here
}

serve({ '/page': () => page().length })
