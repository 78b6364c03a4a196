// What Python sends to the browser, as the modules here read it.

export interface Method {
  label: string;
  short: string;
  symbol: string;
  dash: string;
  color: number;
}

export type Methods = Record<string, Method | undefined>;
export type Curve = (number | null)[];

export interface Band {
  low: number[];
  high: number[];
}

export interface Thresholds {
  copied?: number | null;
  close?: number | null;
  source?: string | null;
}

export interface Match {
  id: number;
  similarity: number;
  image: string;
  caption: string;
  times?: number; // how often training shows it
}

export interface CompareCell {
  cell: number;
  prompt: string;
  method: string;
  spec: string;
  seed: number;
  state: string;
  error: string | null;
  image: string | null;
  sheet: string | null;
  similarity: number | null;
  alignment: number | null;
  match: Match | null;
  matches: Match[] | null;
  verdict: string | null;
  reason: string | null;
  prompt_signal: { word: string; reason: string | null } | null;
  prompt_read: string | null;
  transition_step: number | null;
  where: string | null;
  trace: { magnitude: Curve; scale: Curve; similarity: Curve; nearest: (number | null)[] };
  preview: string | null;
}

export interface Story {
  copy: number;
  other: number;
  step: number | null;
  title: string;
  copied: string;
  decided: string;
  changed: string;
  yours: string;
}

export interface CompareView {
  note?: string;
  id: string;
  live: boolean;
  step: number;
  steps: number;
  timesteps: number[];
  base: string;
  tile: number;
  columns: number;
  prompts: string[];
  result: string;
  summaries: Record<string, string | undefined>;
  facts: [string, string][];
  band: Band | null;
  thresholds: Thresholds;
  noise: Record<string, string | undefined>;
  methods: Methods;
  cells: CompareCell[];
  with?: string;
  story?: Story | null;
  waiting?: string;
  token?: string;
  line?: Waiting[];
}

export interface Waiting {
  token: string;
  title: string;
  words: string;
  run: string | null;
}

/** What steps added to a run under way; columns by name and cell. */
export interface ComparePatch {
  id: string;
  from: number;
  step: number;
  result: string;
  added: CompareCell['trace'] extends infer T ? { [Name in keyof T]: Curve[] } : never;
  changed: CompareCell[];
  pictures: (string | null)[];
  shown: number[];
  token?: string;
  line?: Waiting[];
}

export interface ShownPicture {
  image: string | null;
  preview?: string | null;
  similarity: number | null;
  alignment: number | null;
  evaluations: number | null;
  verdict: string | null;
  prompt_read?: string | null;
  mask?: string | null;
}

export interface TransitionCell extends ShownPicture {
  cell: number;
  prompt: string;
  method: string;
  spec: string;
  seed: number;
  name: string;
  magnitude: number | null;
  transition_step: number | null;
  kept_bytes: number | null;
  tokens: string[];
  trace: Record<string, Curve | undefined>;
}

export interface Rerun extends ShownPicture {
  id: string;
  base: string;
  name: string;
  taken: number;
  kept: boolean;
}

export interface Sweep {
  axis: string;
  label: string;
  in_timesteps: boolean;
  values: number[];
  across: string | null;
  rows: { name: string; seed: number; across: number | null }[];
  cells: (number | null)[][];
  estimated: (number | null)[];
  best: { value: number; across: number | null; reason: string } | null;
}

export interface SeedEstimate {
  cell: number;
  seed: number;
  similarity: number | null;
  estimated_timestep: number | null;
  estimated_prominence: number | null;
  prominent_timestep: number | null;
}

export interface Interval {
  mean: number;
  low?: number | null;
  high?: number | null;
}

export interface TradeoffPoint {
  method: string;
  name: string;
  similarity: Interval | null;
  alignment: Interval | null;
  evaluations: Interval | null;
}

export interface SignalAbout {
  label: string;
  formula: string;
  source: string;
  high: string;
  low: string;
}

/** Before a run is chosen, the trade-off alone. */
export interface TransitionView {
  waiting?: string;
  id?: string;
  live?: boolean;
  prompt?: string;
  base?: string;
  timesteps?: number[];
  thresholds?: Thresholds;
  methods?: Methods;
  cells?: TransitionCell[];
  signals?: Record<string, SignalAbout>;
  bands?: Record<string, Band | undefined>;
  band_note?: string;
  decoder_note?: string;
  attention?: Record<number, number[][] | undefined>;
  sweep?: Sweep | null;
  switches?: Record<number, Record<string, number | null> | undefined>;
  spread?: SeedEstimate[];
  tradeoff?: TradeoffPoint[];
  command?: string;
  evaluations?: number | null;
  again?: Rerun | null;
}

export interface RocView {
  readings: { name: string; words: string; roc: { fpr: number[]; tpr: number[] } }[];
  command: string;
}

export interface PairMatch {
  id: number;
  similarity: number;
  caption: string;
  path: string;
  picture: string | null;
  times?: number; // searches kept from before have none
}

export interface NeighbourPair {
  number: number;
  picture: string;
  prompt: string;
  verdict: string;
  reason: string;
  similarity: number;
  next_similarity: number | null;
  yours: string;
  theirs: string;
  matches: PairMatch[];
  shared: string[];
  caption_overlap: number | null;
  seeds_agree: [number, number];
  copies: number;
}

export interface DuplicateGroup {
  count: number;
  members: { id: number; caption: string; picture: string; times?: number }[];
}

interface SearchView {
  id: string | null;
  base: string;
  facts: string;
  headline: string;
  note: string;
  files: Record<string, string>;
}

export interface PairsView extends SearchView {
  kind: 'pairs';
  within: boolean;
  all_above: boolean;
  pairs: NeighbourPair[];
  histogram: { pictures: number[]; background: number[] };
  marks: { copied: number; close: number };
  words: string;
  details: [string, string][];
  unreadable: { picture: string; problem: string }[];
}

export interface GroupsView extends SearchView {
  kind: 'groups';
  shown: DuplicateGroup[];
}

export interface EmptyNeighbours {
  kind?: undefined;
  note: string;
  example?: {
    yours: string;
    theirs: string;
    number: number;
    prompt: string;
    caption: string;
    similarity: number;
    verdict: string;
    reason: string;
  };
}

export type NeighboursView = PairsView | GroupsView | EmptyNeighbours;

export interface ProbePicture {
  group: string;
  prompt: string;
  similarity: number | null;
  src: string | null;
}

export interface ProbeCurve {
  label: string;
  x: number[];
  copied: Curve;
  similarity_mean: Curve;
  magnitude: Curve;
  alignment: Curve;
}

export type ProbeMeasure = 'copied' | 'similarity_mean' | 'magnitude' | 'alignment';

export interface Gate {
  round: number;
  skipped_by_t: Curve;
  bank_by_t: Curve;
}

export interface Leader {
  caption: string;
  skipped: number;
  seen: number;
  copies: number;
  src: string | null;
}

export interface TrainView {
  id: string;
  kind: string;
  title: string;
  state: string;
  words: string;
  over: boolean;
  silence: number | null;
  pace: number | null;
  command: string;
  progress: {
    step: number | null;
    steps: number | null;
    left: string | null;
    size: string;
  };
  loss: { x: number[]; y: number[] };
  fixed_loss: Record<string, { x: number[]; y: number[] }>;
  probes: Record<string, ProbeCurve>;
  rounds: { name: string; pictures: ProbePicture[] }[];
  measures: Record<string, string>;
  stop_step: number | null;
  best: string | null;
  gates: Gate[];
  timesteps: number[];
  leaders: Leader[];
  log: string[];
  said: { loss: string; probes: Record<string, string | undefined>; gate: string; bank: string };
}

export interface RunRow {
  id: string;
  own: boolean;
  title: string;
  name: string;
  note: string;
  starred: boolean;
  prompts: string[];
  created: string;
  model: string;
  methods: string[];
  steps: number;
  pictures: number;
  kinds: string[];
  result: string;
  bytes: number;
  thumbs: string[];
  sweep: boolean;
}

export interface RunsView {
  runs: RunRow[];
  deleted: { id: string; title: string }[];
  damaged: string[];
  empty: string;
  home: boolean;
  message: string;
}

export interface EvaluationColumn {
  name: string;
  about: string;
  better: 'low' | 'high' | '';
}

export interface EvaluationRow {
  evaluation: string;
  row: number;
  /** The title of its evaluation, where two stand side by side. */
  of: string;
  key: string;
  method: string;
  label: string;
  pictures: number | null;
  values: Record<string, Interval | null | undefined>;
  published: boolean;
  departs: string;
  opens: boolean;
}

export interface EvaluationView {
  id: string;
  title: string;
  state: string;
  words: string;
  progress: { share: number; words: string; left: string } | null;
  columns: EvaluationColumn[];
  rows: EvaluationRow[];
  methods: Methods;
  caption: string;
  left_out: string[];
  /** Format and address. */
  files: [string, string][];
  command: string;
  log: string[];
}

export interface EvaluationPicture {
  place: number;
  src: string;
  nearest: string | null;
  prompt: string;
  seed: number | null;
  similarity: number | null;
  alignment: number | null;
}

export interface EvaluationPictures {
  evaluation?: string;
  row?: number;
  label?: string;
  total?: number;
  pictures: EvaluationPicture[];
}
