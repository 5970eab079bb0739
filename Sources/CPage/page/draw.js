// Charts, drawn by hand on canvases. A chart is drawn anew whenever there are figures, and never between.

const still = new Map();

/** A colour of the style sheet, which knows light and dark. */
function colour(name) {
  if (!still.has(name)) still.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  return still.get(name);
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => still.clear());

/** A canvas of as many pixels as it is shown with; null if it is not shown. */
function begin(canvas) {
  const {clientWidth: width, clientHeight: height} = canvas;
  if (!width || !height) return null;
  const scale = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  const pen = canvas.getContext('2d');
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  pen.clearRect(0, 0, width, height);
  return {pen, width, height};
}

/** The least round number that is not less. */
function ceiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find(step => step * power >= value) * power;
}

/** A small line without axes. */
function sparkline(canvas, values, ink, most) {
  const area = begin(canvas);
  if (!area || values.length < 2) return;
  const {pen, width, height} = area;
  const top = most ?? Math.max(...values, 1e-9);
  const x = place => place / (values.length - 1) * width, y = value => height - 1.5 - Math.min(1, value / top) * (height - 3);
  pen.beginPath();
  values.forEach((value, place) => place ? pen.lineTo(x(place), y(value)) : pen.moveTo(x(place), y(value)));
  pen.strokeStyle = colour(ink);
  pen.lineWidth = 1.5;
  pen.lineJoin = 'round';
  pen.stroke();
  pen.lineTo(width, height);
  pen.lineTo(0, height);
  pen.globalAlpha = 0.12;
  pen.fillStyle = colour(ink);
  pen.fill();
  pen.globalAlpha = 1;
}

/**
 * A chart over time. Its parts are stacked areas, lines or bars; a cursor, moved by pointer or arrow keys, reads one point out.
 */
class Chart {
  /** parts: [{name, label, ink, kind: 'area' | 'line' | 'bar', value: point => number}]; form: words for a number. */
  constructor(canvas, readout, parts, form) {
    Object.assign(this, {canvas, readout, parts, form, points: [], seconds: 3600, now: 0, cursor: null});
    canvas.addEventListener('pointermove', event => this.point(this.at(event.offsetX)));
    canvas.addEventListener('pointerleave', () => this.point(null));
    canvas.addEventListener('blur', () => this.point(null));
    canvas.addEventListener('keydown', event => {
      const step = {ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30}[event.key];
      if (event.key === 'Escape') return this.point(null);
      if (!step || !this.points.length) return;
      event.preventDefault();
      const place = this.nearest(this.cursor ?? this.now) + step;
      this.point(this.points[Math.max(0, Math.min(this.points.length - 1, place))].at);
    });
  }

  show(points, seconds, now) {
    Object.assign(this, {points, seconds, now});
    this.draw();
  }

  at(x) { return this.now - this.seconds * (1 - (x - this.left) / Math.max(1, this.canvas.clientWidth - this.left)); }

  nearest(at) {
    let best = 0;
    this.points.forEach((point, place) => { if (Math.abs(point.at - at) < Math.abs(this.points[best].at - at)) best = place; });
    return best;
  }

  point(at) {
    this.cursor = at;
    this.draw();
  }

  get left() { return 44; }

  draw() {
    const area = begin(this.canvas);
    if (!area) return;
    const {pen, width, height} = area, {points, left} = this, bottom = height - 18;
    const stacked = this.parts.filter(part => part.kind === 'area'), lines = this.parts.filter(part => part.kind !== 'area');
    const sum = point => stacked.reduce((sum, part) => sum + part.value(point), 0);
    const top = ceiling(Math.max(0, ...points.map(point => Math.max(stacked.length ? sum(point) : 0, ...lines.filter(part => !part.own).map(part => part.value(point) || 0)))));
    const x = at => left + (1 - (this.now - at) / this.seconds) * (width - left), y = value => bottom - value / top * (bottom - 8);
    this.axes(pen, width, bottom, left, top, y);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width - left, bottom + 1);
    pen.clip();
    const floor = points.map(() => 0);
    for (const part of stacked) {
      const from = floor.slice();
      points.forEach((point, place) => { floor[place] += part.value(point); });
      pen.beginPath();
      points.forEach((point, place) => pen.lineTo(x(point.at), y(floor[place])));
      for (let place = points.length - 1; place >= 0; place--) pen.lineTo(x(points[place].at), y(from[place]));
      pen.fillStyle = colour(part.ink);
      pen.fill();
    }
    for (const part of lines) part.kind === 'bar' ? this.bars(pen, part, x, bottom) : this.line(pen, part, x, y);
    pen.restore();
    this.read(pen, x, bottom);
  }

  line(pen, part, x, y) {
    pen.beginPath();
    let isDown = false;
    for (const point of this.points) {
      const value = part.value(point);
      if (value === undefined || !isFinite(value)) { isDown = false; continue; }
      isDown ? pen.lineTo(x(point.at), y(value)) : pen.moveTo(x(point.at), y(value));
      isDown = true;
    }
    pen.strokeStyle = colour(part.ink);
    pen.lineWidth = 1.8;
    pen.lineJoin = 'round';
    pen.stroke();
  }

  /** Bars have a scale of their own: their highest is a third of the chart. */
  bars(pen, part, x, bottom) {
    const most = Math.max(...this.points.map(part.value), 1e-9);
    pen.fillStyle = colour(part.ink);
    for (const point of this.points) {
      const value = part.value(point);
      if (value > 0) pen.fillRect(x(point.at) - 1, bottom - Math.max(2, value / most * bottom / 3), 2, Math.max(2, value / most * bottom / 3));
    }
  }

  axes(pen, width, bottom, left, top, y) {
    pen.font = '11px system-ui, sans-serif';
    pen.fillStyle = colour('quiet');
    pen.strokeStyle = colour('line');
    pen.lineWidth = 1;
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    for (const value of [0, top / 2, top]) {
      pen.fillText(short(value), left - 6, y(value));
      pen.beginPath();
      pen.moveTo(left, Math.round(y(value)) + 0.5);
      pen.lineTo(width, Math.round(y(value)) + 0.5);
      pen.stroke();
    }
    pen.textBaseline = 'alphabetic';
    for (const part of width < 420 ? [0, 0.5, 1] : [0, 0.25, 0.5, 0.75, 1]) {
      pen.textAlign = part === 0 ? 'left' : part === 1 ? 'right' : 'center';
      const ago = this.seconds * (1 - part) / 60;
      pen.fillText(ago ? `−${+ago.toFixed(2)} min` : 'now', left + part * (width - left), bottom + 14);
    }
  }

  read(pen, x, bottom) {
    const point = this.cursor === null ? this.points[this.points.length - 1] : this.points[this.nearest(this.cursor)];
    const words = point ? this.parts.map(part => [part.label, part.value(point)]).filter(([, value]) => value > 0).map(([label, value]) => `${label} ${this.form(value, label)}`) : [];
    const text = point ? `${clock(point.at)}  ${words.join(' · ') || 'nothing'}` : 'no figures yet';
    this.canvas.setAttribute('aria-label', text);
    // Read aloud only where the reader has asked, by moving the cursor.
    if (this.cursor === null) { if (this.readout.textContent) this.readout.textContent = ''; return; }
    if (this.readout.textContent !== text) this.readout.textContent = text;
    pen.strokeStyle = colour('ink');
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(Math.round(x(point.at)) + 0.5, 4);
    pen.lineTo(Math.round(x(point.at)) + 0.5, bottom);
    pen.stroke();
  }
}
