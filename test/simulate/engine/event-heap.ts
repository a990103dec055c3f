/** What is to happen, in a slab of its own so that the heap moves two numbers only. */
interface Slab {
  readonly kinds: Uint8Array;
  readonly subjects: Int32Array;
  readonly payloads: Int32Array;
  /** Tells events of one time apart: those put in first come first. */
  readonly orders: Float64Array;
}

const slabOf = (size: number): Slab => ({
  kinds: new Uint8Array(size),
  subjects: new Int32Array(size),
  payloads: new Int32Array(size),
  orders: new Float64Array(size),
});

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
  /** Place in the slab; behind `size` the places that are free. */
  private ids = Int32Array.from({ length: 1024 }, (_, id) => id);
  private slab = slabOf(1024);

  clear(): void {
    this.size = 0;
    this.lastOrder = 0;
  }

  put(at: number, kind: number, subject: number, payload: number): void {
    if (this.size === this.times.length) this.grow();
    const id = this.ids[this.size]!;
    const { kinds, subjects, payloads, orders } = this.slab;
    kinds[id] = kind;
    subjects[id] = subject;
    payloads[id] = payload;
    orders[id] = this.lastOrder++;
    this.rise(this.size++, at, id);
  }

  /** Takes the next event into the fields; false when there is none. */
  take(): boolean {
    if (this.size === 0) return false;
    const id = this.ids[0]!;
    this.at = this.times[0]!;
    this.kind = this.slab.kinds[id]!;
    this.subject = this.slab.subjects[id]!;
    this.payload = this.slab.payloads[id]!;
    this.size -= 1;
    const last = this.ids[this.size]!;
    this.ids[this.size] = id;
    if (this.size > 0) this.sink(this.times[this.size]!, last);
    return true;
  }

  private rise(place: number, at: number, id: number): void {
    const { times, ids } = this;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      // The one put in last comes after all others of its time.
      if (times[parent]! <= at) break;
      times[place] = times[parent]!;
      ids[place] = ids[parent]!;
      place = parent;
    }
    times[place] = at;
    ids[place] = id;
  }

  private sink(at: number, id: number): void {
    const { times, ids, size } = this;
    let place = 0;
    for (let child = 1; child < size; child = 2 * place + 1) {
      const right = child + 1;
      if (right < size && this.isBefore(right, times[child]!, ids[child]!)) child = right;
      if (!this.isBefore(child, at, id)) break;
      times[place] = times[child]!;
      ids[place] = ids[child]!;
      place = child;
    }
    times[place] = at;
    ids[place] = id;
  }

  private isBefore(place: number, at: number, id: number): boolean {
    const time = this.times[place]!;
    return time < at || (time === at && this.slab.orders[this.ids[place]!]! < this.slab.orders[id]!);
  }

  private grow(): void {
    const size = this.times.length * 2;
    const { times, ids, slab } = this;
    this.times = new Float64Array(size);
    this.times.set(times);
    this.ids = Int32Array.from({ length: size }, (_, id) => id);
    this.ids.set(ids);
    this.slab = slabOf(size);
    this.slab.kinds.set(slab.kinds);
    this.slab.subjects.set(slab.subjects);
    this.slab.payloads.set(slab.payloads);
    this.slab.orders.set(slab.orders);
  }
}
