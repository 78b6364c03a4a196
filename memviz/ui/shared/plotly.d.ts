// As much of plotly.js as is used here.

/** Attributes of a trace or a layout, nested as plotly's reference lists them. */
export type Trace = Record<string, unknown>;
export interface Layout {
  xaxis?: Record<string, unknown>;
  yaxis?: Record<string, unknown>;
  [name: string]: unknown;
}

export interface Axis {
  _offset: number;
  _length: number;
  range: [number, number];
  autorange: boolean;
  l2p(value: number): number;
  p2l(pixel: number): number;
}

export interface PlotPoint {
  x: number;
  customdata?: unknown;
  pointIndex: number[];
}

export interface PlotNode extends HTMLDivElement {
  _fullLayout?: { xaxis: Axis; yaxis: Axis };
  on(event: string, act: (event: { points: PlotPoint[] }) => void): void;
}

export interface Plotly {
  react(node: Element, data: Trace[], layout: Layout, config: object): Promise<unknown>;
  purge(node: Element): void;
  downloadImage(
    node: Element,
    options: { format: string; filename: string; width: number; height: number },
  ): Promise<string>;
}

declare global {
  interface Window {
    Plotly: Plotly;
    gradio_config?: { root?: string };
  }
}
