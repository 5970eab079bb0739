// The panels, and the stream of events that they show. Whatever comes from outside goes into `textContent`, never into markup.

const OUTCOMES = ['hit', 'stale', 'coalesced', 'miss', 'pass', 'throttled', 'denied', 'invalid', 'failed'];
const FAILED = ['server_error', 'timeout', 'connect_error', 'throttled'];
const find = id => document.getElementById(id);

function put(element, text, kind = '') {
  if (element.textContent !== text) element.textContent = text;
  if (element.className !== kind) element.className = kind;
}

const say = (id, text) => { const element = find(id); if (element.textContent !== text) element.textContent = text; };

/** Shows rows in a table's body, keeping what has not changed: [{key, cells: [text, or {text, kind, title, fill}]}]. */
function table(id, rows, words) {
  const body = find(id).tBodies[0], old = new Map([...body.rows].map(row => [row.dataset.key, row]));
  if (!rows.length) rows = [{key: 'none', cells: [{text: words, kind: 'quiet'}]}];
  rows.forEach((row, place) => {
    let line = old.get(row.key);
    if (!line) {
      line = document.createElement('tr');
      line.dataset.key = row.key;
      row.cells.forEach((_, place) => {
        const cell = document.createElement(place ? 'td' : 'th');
        if (!place) cell.scope = 'row';
        line.append(cell);
      });
    }
    old.delete(row.key);
    row.cells.forEach((cell, place) => fill(line.cells[place], typeof cell === 'object' ? cell : {text: cell}));
    if (body.rows[place] !== line) body.insertBefore(line, body.rows[place] ?? null);
  });
  for (const line of old.values()) line.remove();
}

function fill(element, cell) {
  if (cell.fill) { cell.fill(element); } else { put(element, cell.text, cell.kind); }
  if (element.title !== (cell.title ?? '')) element.title = cell.title ?? '';
}

/** An element within another, made once. */
function child(parent, name, place = 0) {
  const found = parent.querySelectorAll(name)[place];
  if (found) return found;
  const made = document.createElement(name);
  parent.append(made);
  return made;
}

// MARK: What there is to show

const fine = new Course(0.9, 340), coarse = new Course(10, 360), recent = new Recent(5);
let seconds = 3600, lastArrival = 0;

const ageOf = point => point.values.age_count > 0 ? point.values.age_sum / point.values.age_count : undefined;
const timeOf = point => point.values.up_count > 0 ? 1000 * point.values.up_sum / point.values.up_count : undefined;
const charts = {
  answers: new Chart(find('c-answers'), find('r-answers'), OUTCOMES.map(name => ({label: name, ink: name, kind: 'area', value: point => point.values[name] ?? 0})), short),
  age: new Chart(find('c-age'), find('r-age'), [{label: 'age', ink: 'stale', kind: 'line', value: ageOf}], time),
  up: new Chart(find('c-up'), find('r-up'), [
    {label: 'not good', ink: 'failed', kind: 'bar', own: true, value: point => point.values.up_errors ?? 0},
    {label: 'mean', ink: 'miss', kind: 'line', value: timeOf}], (value, label) => label === 'mean' ? time(value / 1000) : `${short(value)} a second`),
};

/** The same series as those of the `history` event. */
function series(figures) {
  const sum = (name, chosen = () => true) => figures.rows(name).filter(chosen).reduce((sum, row) => sum + (Array.isArray(row.value) ? 0 : row.value), 0);
  const histogram = name => figures.rows(name).reduce(([sum, count], row) => [sum + row.value[0], count + row.value[1]], [0, 0]);
  const counters = {}, gauges = {waiting: sum('jobsproxy_queue_depth'), connections: figures.value('jobsproxy_connections')};
  for (const name of OUTCOMES) counters[name] = figures.value('jobsproxy_requests_total', name) ?? 0;
  [counters.age_sum, counters.age_count] = histogram('jobsproxy_page_age_seconds');
  [counters.up_sum, counters.up_count] = histogram('jobsproxy_upstream_duration_seconds');
  counters.up_errors = sum('jobsproxy_upstream_attempts_total', row => FAILED.includes(row.result));
  for (const row of figures.rows('jobsproxy_quota_spent_total')) {
    const name = `spent ${row.service} ${row.group}`;
    counters[name] = (counters[name] ?? 0) + row.value;
  }
  return [counters, gauges];
}

function show(event) {
  const figures = new Figures(event), [counters, gauges] = series(figures);
  recent.add(figures);
  fine.add(event.at, counters, gauges);
  coarse.add(event.at, counters, gauges);
  lastArrival = performance.now();
  find('figures').classList.remove('old');
  render();
}

function render() {
  if (!recent.last) return;
  const {event} = recent.last, points = view(fine, coarse, seconds, event.at);
  for (const part of [head, tiles, answers, courses, quotas, services, callers, pages, members, machine, events]) part(event, points);
}

// MARK: Panels

function head(event) {
  say('version', event.version);
  say('uptime', `up ${time(event.at - event.start)}`);
  state(event.serving ? 'serving' : 'ending', event.serving);
}

function state(text, isGood) {
  say('state-text', text);
  find('dot').className = isGood === undefined ? '' : isGood ? 'good' : 'bad';
}

function tiles(event, points) {
  const rise = Object.fromEntries(OUTCOMES.map(name => [name, recent.rise('jobsproxy_requests_total', name) ?? 0]));
  const all = OUTCOMES.reduce((sum, name) => sum + rise[name], 0), cached = rise.hit + rise.stale + rise.coalesced;
  put(find('t-rate'), short(recent.span ? all / recent.span : 0), 'big');
  put(find('t-hits'), percent(cached, cached + rise.miss), 'big');
  put(find('t-errors'), percent(rise.failed, all), rise.failed ? 'big bad' : 'big');
  put(find('t-age'), time(recent.mean('jobsproxy_page_age_seconds')), 'big');
  const waiting = recent.last.rows('jobsproxy_queue_depth').reduce((sum, row) => sum + row.value, 0);
  put(find('t-waiting'), whole(waiting), waiting ? 'big warn' : 'big');
  put(find('t-connections'), whole(recent.last.value('jobsproxy_connections')), 'big');
  const limit = recent.last.value('jobsproxy_connections_limit');
  say('t-limit', limit ? `of ${whole(limit)}` : '');
  const total = point => OUTCOMES.reduce((sum, name) => sum + (point.values[name] ?? 0), 0);
  const hits = point => (point.values.hit ?? 0) + (point.values.stale ?? 0) + (point.values.coalesced ?? 0);
  sparkline(find('s-rate'), points.map(total), 'miss');
  sparkline(find('s-hits'), points.map(point => hits(point) / (hits(point) + (point.values.miss ?? 0) || 1)), 'hit', 1);
  sparkline(find('s-errors'), points.map(point => (point.values.failed ?? 0) / (total(point) || 1)), 'failed');
  sparkline(find('s-age'), points.map(point => ageOf(point) ?? 0), 'stale');
  sparkline(find('s-waiting'), points.map(point => point.values.waiting ?? 0), 'throttled');
}

function answers() {
  const rates = OUTCOMES.map(name => recent.rate('jobsproxy_requests_total', name) ?? 0), all = rates.reduce((a, b) => a + b, 0);
  table('outcomes', OUTCOMES.map((name, place) => ({key: name, cells: [
    {fill: cell => { const key = child(cell, 'span'); key.className = 'key'; key.style.background = `var(--${name})`; put(child(cell, 'b'), name); }},
    short(rates[place]), percent(rates[place], all), whole(recent.last.value('jobsproxy_requests_total', name) ?? 0)]})));
}

function courses(event, points) {
  for (const chart of Object.values(charts)) chart.show(points, seconds, event.at);
  const stale = recent.last.rows('jobsproxy_stale_answers_total').filter(row => row.value > 0);
  const words = stale.map(row => `${row.service} ${row.reason} ${whole(row.value)}`).join(' · ');
  say('stale', words ? `Old pages served for want of newer ones, jobsproxy_stale_answers_total: ${words}` : `95 % are younger than ${time(recent.quantile(0.95, 'jobsproxy_page_age_seconds'))}`);
}

function quotas(event, points) {
  const rows = recent.last.rows('jobsproxy_quota_rate').map(({service, group, value: rate}) => {
    const spent = recent.last.rows('jobsproxy_quota_spent_total').filter(row => row.service === service && row.group === group);
    const used = spent.reduce((sum, row) => sum + (recent.rate('jobsproxy_quota_spent_total', service, group, row.for) ?? 0), 0);
    const words = spent.map(row => `${row.for} ${whole(row.value)}`).join(', ');
    const waiting = recent.last.value('jobsproxy_queue_depth', service, group), configured = recent.last.value('jobsproxy_quota_configured_rate', service, group);
    const isCut = configured !== undefined && rate < 0.99 * configured;
    return {key: `${service} ${group}`, cells: [
      `${service} ${group}`,
      {title: `spent in all: ${words}`, fill: cell => {
        put(child(cell, 'span'), short(used));
        const bar = child(cell, 'meter');
        Object.assign(bar, {min: 0, max: rate || 1, high: 0.95 * rate, low: 0.8 * rate, optimum: 0, value: used});
        bar.setAttribute('aria-label', `${percent(used, rate)} of the rate`);
      }},
      {text: configured === undefined ? short(rate) : `${short(rate)} of ${short(configured)}`, kind: isCut ? 'warn' : '', title: 'now, and jobsproxy_quota_configured_rate'},
      {fill: cell => sparkline(child(cell, 'canvas'), points.map(point => point.values[`spent ${service} ${group}`] ?? 0), 'miss', rate)},
      {text: whole(waiting), kind: waiting ? 'warn' : ''},
      time(recent.mean('jobsproxy_queue_wait_seconds', service, group)),
      whole(recent.last.value('jobsproxy_quota_throttled_total', service, group))]};
  });
  table('quotas', rows, 'none');
  say('quotas-rest', event.idleGroups ? `${event.idleGroups} more groups have spent nothing.` : '');
  list('overrides', (event.overrides ?? []).map(each => `Override: ${Object.entries(each).map(([name, value]) => `${name} ${value}`).join(', ')}`), '');
}

function services(event) {
  const words = ['closed', 'probing', 'open'], kinds = ['good', 'warn', 'bad'];
  table('services', event.services.map(({name, region, endpoint}) => {
    const breaker = recent.last.value('jobsproxy_breaker_state', name) ?? 0;
    const attempts = recent.last.rows('jobsproxy_upstream_attempts_total').filter(row => row.service === name);
    const bad = attempts.filter(row => FAILED.includes(row.result) && row.value > 0), ends = recent.last.value('jobsproxy_credentials_expiry_timestamp_seconds', name);
    const opened = recent.last.value('jobsproxy_breaker_transitions_total', name, 'open');
    const rate = attempts.reduce((sum, row) => sum + (recent.rate('jobsproxy_upstream_attempts_total', name, row.result) ?? 0), 0);
    const middle = recent.quantile(0.5, 'jobsproxy_upstream_duration_seconds', name), most = recent.quantile(0.95, 'jobsproxy_upstream_duration_seconds', name);
    return {key: name, cells: [
      {text: name, title: `${region} ${endpoint}`},
      {text: words[breaker], kind: kinds[breaker], title: opened === undefined ? '' : `opened ${whole(opened)} times`},
      {text: short(rate), title: attempts.map(row => `${row.result} ${whole(row.value)}`).join(', ')},
      {text: bad.map(row => `${row.result} ${whole(row.value)}`).join(', ') || '0', kind: bad.some(row => recent.rise('jobsproxy_upstream_attempts_total', name, row.result) > 0) ? 'bad' : ''},
      `${time(middle)} · ${time(most)}`,
      whole(recent.last.value('jobsproxy_retries_total', name)), whole(recent.last.value('jobsproxy_upstream_connections', name)),
      {text: ends ? time(ends - event.at) : '–', kind: ends && ends - event.at < 300 ? 'bad' : ''}]};
  }), 'none');
}

function callers(event) {
  say('callers-n', event.callers.count > event.callers.rows.length ? `the ${event.callers.rows.length} busiest of ${whole(event.callers.count)}` : '');
  table('callers', event.callers.rows.map(([name, rate, all, throttled, denied, failed]) => ({key: name, cells: [
    {text: name, kind: 'text'}, short(rate), whole(all), {text: whole(throttled), kind: throttled ? 'warn' : ''},
    {text: whole(denied), kind: denied ? 'warn' : ''}, {text: whole(failed), kind: failed ? 'bad' : ''}]})), 'none yet');
}

function pages(event) {
  say('pages-n', `of ${whole(recent.last.value('jobsproxy_cache_pages'))}`);
  table('pages', event.pages.rows.map(([key, service, operation, of, age, left, ttl, requests, size]) => ({key: String(key), cells: [
    {text: operation, title: service}, {text: of, kind: 'text'},
    {fill: cell => {
      put(child(cell, 'span'), left > 0 ? time(left) : 'stale', left > 0 ? '' : 'warn');
      const bar = child(cell, 'meter');
      Object.assign(bar, {min: 0, max: ttl || 1, value: Math.max(0, left)});
      bar.setAttribute('aria-label', `of ${time(ttl)}`);
    }},
    time(age), whole(requests), short(requests / Math.max(age, 1)), bytes(size)]})), 'none yet');
}

function members(event) {
  find('members-card').hidden = !event.members;
  if (!event.members) return;
  put(find('members-mode'), event.members.up ? event.members.mode : `${event.members.mode}: ${event.members.fault}`, event.members.up ? '' : 'bad');
  table('members', event.members.rows.map(([name, isSelf, seat, silent, lease]) => ({key: name, cells: [
    {text: isSelf ? `${name} (this one)` : name, kind: 'text'}, seat === null ? '–' : String(seat), `${time(silent / 1000)} ago`, time(lease / 1000)]})), 'none is known');
}

function machine(event) {
  const last = recent.last, one = name => last.value(name), rows = [];
  const add = (words, text, name, kind) => rows.push([words, text, name, kind]);
  add('Processor', percent(recent.rate('process_cpu_seconds_total'), 1), 'process_cpu_seconds_total');
  add('Memory', bytes(one('process_resident_memory_bytes')), 'process_resident_memory_bytes');
  add('Open files', `${whole(one('process_open_fds'))} of ${whole(one('process_max_fds'))}`, 'process_open_fds');
  add('Pages', `${whole(one('jobsproxy_cache_pages'))}, ${bytes(one('jobsproxy_cache_bytes'))}`, 'jobsproxy_cache_bytes');
  add('Dropped for room', whole(one('jobsproxy_cache_evictions_total')), 'jobsproxy_cache_evictions_total');
  add('Answers unread', bytes(one('jobsproxy_unsent_bytes')), 'jobsproxy_unsent_bytes');
  add('Log lines dropped', whole(one('jobsproxy_access_log_dropped_total')), 'jobsproxy_access_log_dropped_total', one('jobsproxy_access_log_dropped_total') ? 'warn' : '');
  const refused = last.rows('jobsproxy_rejected_total');
  add('Refused unread', refused.map(row => `${row.reason} ${whole(row.value)}`).join(', ') || '0', 'jobsproxy_rejected_total');
  if (one('jobsproxy_config_last_reload_successful') !== undefined) add('Last reload', one('jobsproxy_config_last_reload_successful') ? 'good' : 'refused', 'jobsproxy_config_last_reload_successful', one('jobsproxy_config_last_reload_successful') ? '' : 'bad');
  if (one('jobsproxy_snapshot_age_seconds') !== undefined) add('Snapshot', `${time(one('jobsproxy_snapshot_age_seconds'))} old`, 'jobsproxy_snapshot_age_seconds');
  for (const row of last.rows('jobsproxy_certificate_expiry_timestamp_seconds')) add(`Certificate of ${row.listener}`, `${time(row.value - event.at)} left`, 'jobsproxy_certificate_expiry_timestamp_seconds', row.value - event.at < 1209600 ? 'warn' : '');
  add('Looking', `${whole(event.watchers)} of ${whole(event.mostWatchers)}`, '');
  const home = find('process');
  rows.forEach(([words, text, name, kind], place) => {
    const box = child(home, 'div', place);
    put(child(box, 'dt'), words);
    const value = child(box, 'dd');
    put(child(value, 'span'), text, kind);
    put(child(value, 'code'), name);
  });
  for (const left of [...home.children].slice(rows.length)) left.remove();
}

function events(event) {
  list('events', event.events.slice().reverse().map(([at, level, text]) => ({at, text, kind: {warning: 'warn', error: 'bad', critical: 'bad'}[level] ?? ''})), 'none since the start');
}

function list(id, lines, words) {
  const home = find(id), wanted = lines.length || !words ? lines : [{text: words, kind: 'quiet'}];
  wanted.forEach((line, place) => {
    const {at, text, kind = ''} = typeof line === 'object' ? line : {text: line};
    const item = child(home, 'li', place);
    if (at) put(child(item, 'time'), clock(at));
    else item.querySelector('time')?.remove();
    put(child(item, 'span'), text, kind);
    for (const node of [...item.childNodes]) if (node.nodeType === Node.TEXT_NODE) node.remove();
  });
  for (const left of [...home.children].slice(wanted.length)) left.remove();
}

// MARK: The stream

const pause = time => new Promise(done => setTimeout(done, time));
let stop = new AbortController(), isWatching = false, wait = 500;

function ask(fault) {
  find('ask').hidden = false;
  find('figures').hidden = true;
  say('ask-fault', fault);
  state('token needed');
  find('token').focus();
}

/** Reads `/events` until it ends. Server-sent events by fetch, because EventSource cannot send the token. */
async function watch() {
  if (isWatching) return;
  isWatching = true;
  while (!document.hidden) {
    const token = sessionStorage.getItem('token');
    if (document.documentElement.dataset.token !== 'none' && !token) { ask(''); break; }
    try {
      stop = new AbortController();
      const answer = await fetch('events', {headers: token ? {Authorization: `Bearer ${token}`} : {}, cache: 'no-store', signal: stop.signal});
      if (answer.status === 401) {
        sessionStorage.removeItem('token');
        ask('This is not the token.');
        break;
      }
      if (answer.status === 503) throw new Error('too many look already');
      if (!answer.ok) throw new Error(`refused, ${answer.status}`);
      find('ask').hidden = true;
      find('figures').hidden = false;
      await take(answer.body);
      throw new Error('the gateway has ended');
    } catch (error) {
      if (!document.hidden) state(error instanceof TypeError ? 'the gateway does not answer' : error.message, false);
    }
    await pause(wait * (0.5 + Math.random()));
    wait = Math.min(wait * 2, 10000);
  }
  isWatching = false;
}

async function take(body) {
  let text = '';
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const {done, value} = await reader.read();
    if (done) return;
    text += value;
    const blocks = text.split('\n\n');
    text = blocks.pop();
    for (const block of blocks) handle(block);
  }
}

function handle(block) {
  const kind = /^event: (\w+)$/m.exec(block)?.[1], data = /^data: (.*)$/m.exec(block)?.[1];
  if (!data) return;
  wait = 500;
  if (kind === 'history') coarse.fill(JSON.parse(data));
  if (kind === 'now') show(JSON.parse(data));
}

find('ask').addEventListener('submit', event => {
  event.preventDefault();
  sessionStorage.setItem('token', find('token').value);
  find('token').value = '';
  say('ask-fault', '');
  watch();
});
// Long names break where their words end.
for (const name of document.querySelectorAll('code')) {
  const words = name.textContent.split(/(?<=_)/);
  name.replaceChildren(...words.flatMap((word, place) => place ? [document.createElement('wbr'), word] : [word]));
}
find('range').addEventListener('change', event => {
  seconds = Number(event.target.value);
  render();
});
addEventListener('resize', render);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', render);
document.addEventListener('visibilitychange', () => { document.hidden ? stop.abort() : watch(); });
setInterval(() => { if (lastArrival && performance.now() - lastArrival > 4000) find('figures').classList.add('old'); }, 1000);
watch();
