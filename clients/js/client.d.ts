// The types of the browser client of EventGate. README.md has its use.

/** What an event of `T` needs when it is submitted: the client adds `meta.id`, `meta.stream`, `meta.domain` and `dt`. */
export type Event<T = Record<string, unknown>> = Omit<T, 'meta' | 'dt' | '$schema'> & {
  $schema: T extends { $schema: infer S } ? S : string;
  meta?: Partial<T extends { meta: infer M } ? M : Record<string, unknown>>;
  dt?: string;
};

/** The settings of a stream that the client reads. */
export interface StreamConfig {
  /** In the sample are the sessions or pages whose id, as a number from 0 to 1, is below `rate`. */
  sample?: { unit: 'session' | 'pageview'; rate: number };
  producers?: { metrics_platform_client?: { stream_name?: string } };
  [setting: string]: unknown;
}

/**
 * Why an event was not sent. `submit` returns the first ones; a drop after it has any of them.
 *
 * - `no_schema`: no stream, or no `$schema`; `invalid`: not JSON, or the gate's schema refuses it
 * - `not_configured`, `not_sampled`: by the stream config
 * - `too_large`: over `max_event`, or the gate's limit; `queue_full`: 1000 events or 1 MiB wait
 * - `opted_out`: by `optOut`, or `respect`; `closed`: by `close`
 * - `error`: the gate refuses it for another reason, such as an undeclared stream; `rejected`: the request, by a 4xx
 * - `retries`: 10 tries failed; `blocked`: three requests in a row failed at once, as with an ad blocker
 * - `store_full`, `expired`: in the store, the oldest beyond 500 events or 512 KiB, or older than 24 hours
 */
export type DropReason =
  | 'no_schema'
  | 'invalid'
  | 'not_configured'
  | 'not_sampled'
  | 'too_large'
  | 'queue_full'
  | 'opted_out'
  | 'closed'
  | 'error'
  | 'rejected'
  | 'retries'
  | 'blocked'
  | 'store_full'
  | 'expired';

export interface Drop {
  reason: DropReason;
  id?: string;
  stream: string;
  /** What the gate says, or what was expected. */
  message: string;
}

export interface Options {
  /** The gate, such as `https://intake.example`. Default: the host of the page. */
  url?: string;
  /** `'fetch'` asks the gate; an object is by stream name; `false` admits every stream. Default: `false`. */
  streams?: 'fetch' | false | Record<string, StreamConfig>;
  /** Answers before events are validated. The client then learns of no refused event. Default: `false`. */
  hasty?: boolean;
  /** How long an event waits for others, in milliseconds. 0: not at all. Default: 5000. */
  linger?: number;
  /** Bytes of the largest event. Default: 32768. */
  max_event?: number;
  /** Keeps events that could not be sent in `localStorage`, for 24 hours. Default: `false`. */
  store?: boolean;
  /** The stream for what became of the page's events. Default: none. */
  loss_stream?: string;
  /** Default: `/eventgate/client_loss/1.0.0`. */
  loss_schema?: string;
  /** Ids for sampling, instead of random ones. They begin with 8 hexadecimal digits. */
  ids?: { session?: string; pageview?: string };
  /** `false`: no id of the session is kept in `sessionStorage`. */
  session?: false;
  /** Signals of the browser that opt the visitor out. Default: none. */
  respect?: Array<'gpc' | 'dnt'>;
  /** Writes each dropped event to the console. Default: `false`. */
  debug?: boolean;
  /** For `logEvent`: the version of each legacy schema. Default: 1.0.0. */
  legacy?: Record<string, string>;
  /** For `logEvent`: the database name of the wiki. */
  wiki?: string;
}

export interface Stats {
  /** Calls of `submit`. */
  submitted: number;
  /** Events that the gate, or a beacon, has taken. */
  sent: number;
  /** Events in memory, in a request, or in the store. */
  waiting: number;
  dropped: Partial<Record<DropReason, number>>;
}

/** `Streams` has the event of each stream. `eventgate schema types` writes it. */
export interface Client<Streams = Record<string, Record<string, unknown>>> {
  /** Queues an event. It never throws, never waits, and does not change `event`. */
  submit<S extends keyof Streams & string>(
    stream: S,
    event: Event<Streams[S]>,
  ): { accepted: true; id: string } | { accepted: false; reason: DropReason };
  /** Whether events of the stream are sent, as far as its config is known. */
  inSample(stream: keyof Streams & string): boolean;
  /** Sends what is queued. It resolves when each event is answered, or waits to be sent again. */
  flush(): Promise<void>;
  /** Calls `handler` for each event that is not sent. It returns a function that ends this. */
  on(type: 'drop', handler: (drop: Drop) => void): () => void;
  stats(): Stats;
  /** Drops what waits, also in the store, and sends nothing from now on. */
  optOut(): void;
  /** Submits `data` to the stream `eventlogging_<schema>`, as EventLogging's `logEvent` does. */
  logEvent(schema: string, data: Record<string, unknown>): ReturnType<Client['submit']>;
  /** Hands over what is queued, and stops. */
  close(): void;
}

export function createClient<Streams = Record<string, Record<string, unknown>>>(options?: Options): Client<Streams>;
