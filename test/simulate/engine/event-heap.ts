/** Events by time, those of one time in the order they were put in. Numbers only, so that millions are cheap. */
export class EventHeap {
  /** Of the event taken last. */
  at = 0;
  kind = 0;
  subject = 0;
  payload = 0;

  private size = 0;
  private lastOrder = 0;
  private times = new Float64Array(1024);
  private orders = new Float64Array(1024);
  private kinds = new Uint8Array(1024);
  private subjects = new Int32Array(1024);
  private payloads = new Int32Array(1024);

  clear(): void {
    this.size = 0;
    this.lastOrder = 0;
  }

  put(at: number, kind: number, subject: number, payload: number): void {
    if (this.size === this.times.length) this.grow();
    const order = this.lastOrder++;
    let place = this.size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.isBefore(parent, at, order)) break;
      this.move(parent, place);
      place = parent;
    }
    this.set(place, at, order, kind, subject, payload);
  }

  /** Takes the next event into the fields; false when there is none. */
  take(): boolean {
    if (this.size === 0) return false;
    this.at = this.times[0]!;
    this.kind = this.kinds[0]!;
    this.subject = this.subjects[0]!;
    this.payload = this.payloads[0]!;
    this.size -= 1;
    if (this.size > 0) this.sink(this.size);
    return true;
  }

  /** Puts what stands at `last` into the free place at the top. */
  private sink(last: number): void {
    const at = this.times[last]!;
    const order = this.orders[last]!;
    let place = 0;
    for (let child = 1; child < this.size; child = 2 * place + 1) {
      const right = child + 1;
      if (right < this.size && this.isBefore(right, this.times[child]!, this.orders[child]!)) child = right;
      if (!this.isBefore(child, at, order)) break;
      this.move(child, place);
      place = child;
    }
    this.set(place, at, order, this.kinds[last]!, this.subjects[last]!, this.payloads[last]!);
  }

  private isBefore(place: number, at: number, order: number): boolean {
    const time = this.times[place]!;
    return time < at || (time === at && this.orders[place]! < order);
  }

  private move(from: number, to: number): void {
    this.set(to, this.times[from]!, this.orders[from]!, this.kinds[from]!, this.subjects[from]!, this.payloads[from]!);
  }

  private set(place: number, at: number, order: number, kind: number, subject: number, payload: number): void {
    this.times[place] = at;
    this.orders[place] = order;
    this.kinds[place] = kind;
    this.subjects[place] = subject;
    this.payloads[place] = payload;
  }

  private grow(): void {
    const longer = <T extends Float64Array | Uint8Array | Int32Array>(array: T, copy: T): T => (copy.set(array), copy);
    const size = this.times.length * 2;
    this.times = longer(this.times, new Float64Array(size));
    this.orders = longer(this.orders, new Float64Array(size));
    this.kinds = longer(this.kinds, new Uint8Array(size));
    this.subjects = longer(this.subjects, new Int32Array(size));
    this.payloads = longer(this.payloads, new Int32Array(size));
  }
}
