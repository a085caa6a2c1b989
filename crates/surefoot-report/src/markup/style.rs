//! How pages and drawings look, in light and dark and in print.

/// What colours mean everywhere: ink, faint lines, two series (training and validation, positive and negative), and paper.
pub const COLOURS: &str = "\
:root{--paper:#fff;--ink:#1d2430;--muted:#667085;--faint:#d5dae2;--one:#1f5fbf;--two:#c2410c;--wash:#f3f5f8}
@media (prefers-color-scheme:dark){:root{--paper:#14181f;--ink:#e6e9ef;--muted:#98a2b3;--faint:#3a4352;--one:#7ab0ff;\
--two:#ffa366;--wash:#1d232d}}
@media print{:root{--paper:#fff;--ink:#000;--muted:#444;--faint:#bbb;--one:#1f5fbf;--two:#b03a06;--wash:#f3f5f8}}
svg text{font:12px system-ui,sans-serif;fill:var(--ink)}svg .small{font-size:11px;fill:var(--muted)}
svg .muted{fill:var(--muted)}svg .frame{stroke:var(--muted);fill:none}svg .grid{stroke:var(--faint);fill:none}
svg .one{stroke:var(--one);fill:none;stroke-width:2}svg .two{stroke:var(--two);fill:none;stroke-width:2}
svg .dash{stroke-dasharray:6 4}svg .dot{fill:var(--one);fill-opacity:.55;stroke:none}
svg .bar{fill:var(--one)}svg .bar2{fill:var(--two)}svg .unit{fill:var(--paper);stroke:var(--ink);stroke-width:1.4}
svg .bias{fill:var(--wash);stroke:var(--muted);stroke-dasharray:3 2}svg .plus{stroke:var(--one)}svg .minus{stroke:var(--two)}
svg .arrow{stroke:var(--muted);fill:none}
";

/// The rest of a page.
pub const STYLE: &str = "\
html{background:var(--paper);color:var(--ink);color-scheme:light dark}
body{max-width:64rem;margin:0 auto;padding:1.5rem 1rem 4rem;font:16px/1.5 system-ui,sans-serif}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}h2{font-size:1.2rem;margin:2.5rem 0 .6rem;border-bottom:1px solid \
var(--faint);padding-bottom:.2rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}p{margin:.5rem 0;max-width:46rem}
.lead{font-size:1.15rem}.muted,figcaption{color:var(--muted);font-size:.9rem}
figure{margin:1rem 0}.scroll{overflow-x:auto}.fit svg{max-width:100%;height:auto}
.range{white-space:nowrap}.counts{display:inline-block;min-width:11rem}details{margin:.5rem 0}summary{cursor:pointer}\
.pair{display:flex;flex-wrap:wrap;gap:0 1.5rem}.pair figure{flex:1 1 24rem;min-width:0}
table{border-collapse:collapse;font-size:.92rem}th,td{padding:.2rem .7rem .2rem 0;text-align:left;vertical-align:top}
th{font-weight:600;border-bottom:1px solid var(--faint)}td.n,th.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
table.matrix td{text-align:right;padding:.25rem .55rem;border:1px solid var(--paper);font-variant-numeric:tabular-nums}
table.matrix th{padding:.25rem .55rem;border:0}
pre{background:var(--wash);padding:.7rem .9rem;overflow-x:auto;font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;\
overflow-wrap:anywhere}
code{font:13px ui-monospace,monospace}
.good{color:#15803d}.bad{color:#b91c1c}@media (prefers-color-scheme:dark){.good{color:#4ade80}.bad{color:#fca5a5}}
.formula{overflow-x:auto;padding:.35rem 0;display:flex;align-items:center;gap:1.2rem}.formula .tag{color:var(--muted);\
white-space:nowrap}math{font-size:1.12em}math[display=block]{display:block math;margin:0;text-align:left}\
mtd:nth-child(odd){text-align:right}mtd:nth-child(even){text-align:left}mtd{padding:.15em 0}
@media print{body{max-width:none;padding:0}h2{break-after:avoid}figure,table,.formula{break-inside:avoid}\
.scroll{overflow:visible}}
";
