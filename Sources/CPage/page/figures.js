// What the gateway tells, as figures: values by metric and labels, rates of counters, and the course of the last hour.

/** The values of one `now` event. */
class Figures {
  constructor(event) {
    this.event = event;
    this.values = new Map();
    for (const [name, family] of Object.entries(event.metrics)) {
      for (const row of family.rows) {
        const labels = row.slice(0, family.labels.length);
        this.values.set([name, ...labels].join('\u0000'), family.bounds ? row.slice(labels.length) : row[labels.length]);
      }
    }
  }

  /** A sample; undefined if there is none. A histogram's is [sum, count, cumulative counts of its bounds]. */
  value(name, ...labels) { return this.values.get([name, ...labels].join('\u0000')); }

  /** The rows of a family as objects: its labels, and `value`. */
  rows(name) {
    const family = this.event.metrics[name];
    if (!family) return [];
    return family.rows.map(row => {
      const made = {value: family.bounds ? row.slice(family.labels.length) : row[family.labels.length]};
      family.labels.forEach((label, place) => { made[label] = row[place]; });
      return made;
    });
  }

  bounds(name) { return this.event.metrics[name]?.bounds ?? []; }
}

/** The last few events, for rates over some seconds. */
class Recent {
  constructor(seconds) {
    this.seconds = seconds;
    this.all = [];
  }

  add(figures) {
    // A gateway that has started anew counts from zero.
    if (this.all.length && figures.event.start !== this.last.event.start) this.all = [];
    this.all.push(figures);
    while (this.all.length > 2 && this.all[0].event.at < figures.event.at - this.seconds) this.all.shift();
  }

  get last() { return this.all[this.all.length - 1]; }
  get span() { return this.all.length > 1 ? this.last.event.at - this.all[0].event.at : 0; }

  /** What a counter has risen by; undefined if it is not there. */
  rise(name, ...labels) {
    const value = this.last.value(name, ...labels);
    return value === undefined ? undefined : value - (this.all[0].value(name, ...labels) ?? 0);
  }

  rate(name, ...labels) {
    const rise = this.rise(name, ...labels);
    return rise === undefined ? undefined : this.span > 0 ? rise / this.span : 0;
  }

  /** What a histogram has risen by. */
  histogram(name, ...labels) {
    const now = this.last.value(name, ...labels);
    if (!now) return undefined;
    const then = this.all[0].value(name, ...labels);
    return now.map((value, place) => value - (this.all.length > 1 && then ? then[place] : 0));
  }

  mean(name, ...labels) {
    const rise = this.histogram(name, ...labels);
    return rise && rise[1] > 0 ? rise[0] / rise[1] : undefined;
  }

  /** The value below which a part of the observations was, as Prometheus reckons it. */
  quantile(part, name, ...labels) {
    const rise = this.histogram(name, ...labels);
    return rise && rise[1] > 0 ? quantile(part, this.last.bounds(name), rise.slice(2), rise[1]) : undefined;
  }
}

function quantile(part, bounds, counts, all) {
  const place = counts.findIndex(count => count >= part * all);
  if (place < 0) return bounds[bounds.length - 1];
  const [low, below] = place ? [bounds[place - 1], counts[place - 1]] : [0, 0];
  const inside = counts[place] - below;
  return inside > 0 ? low + (bounds[place] - low) * (part * all - below) / inside : bounds[place];
}

/** The course of things: for each point its time, and by name what a counter rose by in a second, or a value. */
class Course {
  constructor(step, length) {
    this.step = step;
    this.length = length;
    this.points = [];
    this.before = null;
  }

  /** Takes the `history` event: for each point its age, and what counters have risen by since the point before. */
  fill(history) {
    this.points = [];
    this.before = null;
    for (let place = 1; place < history.ages.length; place++) {
      const seconds = history.ages[place - 1] - history.ages[place];
      const values = {};
      for (const [name, rises] of Object.entries(history.counters)) values[name] = rises[place - 1] / (seconds || 1);
      for (const [name, gauge] of Object.entries(history.gauges)) values[name] = gauge[place];
      this.points.push({at: history.at - history.ages[place], values});
    }
  }

  /** Takes the totals of counters and the values of gauges now. */
  add(at, counters, gauges) {
    const seconds = this.before ? at - this.before.at : 0;
    if (this.before && seconds < this.step * 0.8) return;
    if (this.before) {
      const values = {...gauges};
      for (const [name, value] of Object.entries(counters)) values[name] = Math.max(0, value - (this.before.counters[name] ?? value)) / seconds;
      this.points.push({at, values});
      if (this.points.length > this.length) this.points.shift();
    }
    this.before = {at, counters};
  }
}

/** The points of a range that ends now: fine ones as far as they go, coarse ones before. */
function view(fine, coarse, seconds, now) {
  if (seconds > 600) return coarse.points.filter(point => point.at > now - seconds);
  const first = fine.points.length ? fine.points[0].at : now;
  return [...coarse.points.filter(point => point.at < first), ...fine.points].filter(point => point.at > now - seconds);
}

// MARK: Words for figures

const number = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

function short(value) {
  if (value === undefined || value === null || !isFinite(value)) return '–';
  if (value === 0) return '0';
  const size = Math.abs(value);
  if (size >= 100000) return new Intl.NumberFormat('en', {notation: 'compact', maximumSignificantDigits: 3}).format(value);
  if (size >= 100) return number.format(value);
  return size >= 10 ? value.toFixed(1) : size >= 0.995 ? value.toFixed(2) : size >= 0.01 ? value.toFixed(2) : '<0.01';
}

const whole = value => value === undefined || value === null ? '–' : number.format(value);

function percent(part, all) {
  if (!all) return '–';
  const value = 100 * part / all;
  return value > 0 && value < 0.1 ? '<0.1 %' : `${value === 100 || value === 0 ? value : value.toFixed(1)} %`;
}

/** A time in seconds. */
function time(seconds) {
  if (seconds === undefined || seconds === null || !isFinite(seconds)) return '–';
  const size = Math.abs(seconds), sign = seconds < 0 ? '−' : '';
  if (size === 0) return '0 s';
  if (size < 0.001) return `${sign}${(size * 1e6).toFixed(0)} µs`;
  if (size < 1) return `${sign}${(size * 1e3).toFixed(size < 0.01 ? 1 : 0)} ms`;
  if (size < 120) return `${sign}${size.toFixed(size < 10 ? 1 : 0)} s`;
  if (size < 7200) return `${sign}${(size / 60).toFixed(0)} min`;
  return size < 172800 ? `${sign}${(size / 3600).toFixed(0)} h` : `${sign}${(size / 86400).toFixed(0)} days`;
}

function bytes(value) {
  if (value === undefined) return '–';
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let place = 0;
  while (value >= 1024 && place < units.length - 1) { value /= 1024; place++; }
  return `${value >= 100 || place === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[place]}`;
}

const clock = seconds => new Date(seconds * 1000).toLocaleTimeString('en-GB');
