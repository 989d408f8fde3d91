// The live stream as a plain list, and the tasks that it tells of. Everything goes in as text, never as markup.
const MOST_LINES = 200
const tasks = new Map()
const waiting = []
let paused = false
let scheduled = false

const state = document.getElementById('state')
const rows = document.getElementById('tasks')
const list = document.getElementById('events')
const run = new URLSearchParams(location.search).get('run')

function restore(snapshot) {
  tasks.clear()
  for (const task of snapshot.tasks) tasks.set(task.task, { ...task, text: task.state })
}

function apply(event) {
  const task = tasks.get(event.task)
  switch (event.type) {
    case 'task.created':
      tasks.set(event.task, { task: event.task, name: event.name, run: event.run, text: 'ready' })
      break
    case 'task.ready':
      if (task !== undefined && task.text !== 'running') task.text = 'ready'
      break
    case 'task.running':
      if (task !== undefined) task.text = 'running'
      break
    case 'task.suspended':
      if (task !== undefined) task.text = event.on.kind === 'yield' ? 'ready' : `waits: ${event.on.label ?? event.on.kind}`
      break
    case 'task.finished':
      tasks.delete(event.task)
      break
  }
}

function line(event) {
  const { type, seq, t, loop, ...rest } = event
  return `${t.toFixed(6)}  ${type}  ${Object.entries(rest).map(([key, value]) => `${key}=${typeof value === 'object' ? JSON.stringify(value) : value}`).join(' ')}`
}

function draw() {
  scheduled = false
  if (paused) return
  rows.replaceChildren(...[...tasks.values()].slice(0, MOST_LINES).map((task) => {
    const row = document.createElement('tr')
    for (const text of [task.task, task.name, task.run ?? '', task.text]) {
      const cell = document.createElement('td')
      cell.textContent = String(text)
      row.append(cell)
    }
    return row
  }))
  for (const event of waiting.splice(0)) {
    const item = document.createElement('li')
    item.textContent = line(event)
    list.prepend(item)
  }
  while (list.childElementCount > MOST_LINES) list.lastElementChild.remove()
}

function schedule() {
  if (scheduled) return
  scheduled = true
  requestAnimationFrame(draw)
}

function hear(message) {
  if (message.type === 'stream.hello' || message.type === 'stream.dropped') {
    if (message.snapshot !== undefined) restore(message.snapshot)
  } else if (message.type !== 'stream.bookmark') {
    apply(message)
    if (run === null || String(message.run) === run) {
      waiting.push(message)
      if (waiting.length > MOST_LINES) waiting.shift()
    }
  }
  schedule()
}

// It connects again by itself, and goes on after the last event it had.
const source = new EventSource('/events')
source.onopen = () => {
  state.textContent = run === null ? 'Connected.' : `Connected; showing the events of run ${run}.`
  state.className = ''
}
source.onerror = () => {
  state.textContent = 'The connection is lost; trying again.'
  state.className = 'lost'
}
const types = ['stream.hello', 'stream.dropped', 'stream.bookmark', 'loop.started', 'loop.closed', 'task.created', 'task.ready', 'task.running',
  'task.suspended', 'task.cancelling', 'task.finished', 'task.printed', 'queue.changed', 'request.started', 'request.finished',
  'run.started', 'run.finished', 'thread.started', 'thread.finished']
for (const type of types) source.addEventListener(type, ({ data }) => hear(JSON.parse(data)))

for (const button of document.querySelectorAll('button[data-run]')) {
  button.addEventListener('click', () => { void fetch(button.dataset.run, { headers: { accept: '*/*' } }).then((response) => response.text()) })
}
document.getElementById('pause').addEventListener('click', ({ target }) => {
  paused = !paused
  target.textContent = paused ? 'Go on' : 'Pause'
  schedule()
})
