/** The page's one style sheet. It asks for no font and no picture, so that nothing is fetched. */
export const DOCS_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fcfbf8; --panel: #f3f1ea; --ink: #1f2426; --quiet: #666d6b; --line: #dedace;
  --link: #0b5f80; --get: #1d6b45; --post: #9a4a0c;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #15191b; --panel: #1d2325; --ink: #dde2e0; --quiet: #939d9a; --line: #31393b;
    --link: #7dc0dd; --get: #79c79c; --post: #e5a063;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 "Avenir Next", Avenir, "Segoe UI", "Noto Sans", "Helvetica Neue", sans-serif;
}
a { color: var(--link); text-underline-offset: .18em; text-decoration-thickness: 1px; }
a:focus-visible, pre:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre { font-family: var(--mono); font-size: .86em; }
small { color: var(--quiet); font-size: .86em; font-weight: 400; }
h1, h2, h3, h4 { line-height: 1.25; margin: 0; font-weight: 600; }
p { margin: .5em 0; max-width: 68ch; }

.page { display: grid; grid-template-columns: 15.5rem minmax(0, 1fr); max-width: 84rem; margin: 0 auto; }
nav {
  position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto;
  padding: 1.6rem 1rem 2rem 1.4rem; font-size: 13px; line-height: 1.35;
}
nav ul { list-style: none; margin: 0; padding: 0; }
nav .tag { display: block; margin-top: 1rem; font-weight: 600; color: var(--ink); }
nav a { display: block; padding: .16rem 0; color: var(--quiet); text-decoration: none; }
nav a:hover { color: var(--link); text-decoration: underline; }
main { padding: 1.5rem 2rem 6rem; border-left: 1px solid var(--line); }

.lamps { display: inline-flex; gap: .3rem; margin-right: .55rem; vertical-align: .05em; }
.lamps i { width: .6rem; height: .6rem; border-radius: 50%; background: #c8432f; }
.lamps i + i { background: #d99a1c; }
.lamps i + i + i { background: #2f8f5b; }
h1 { font-size: 1.7rem; letter-spacing: -.01em; }
h1 small { font-size: .9rem; letter-spacing: 0; }
h2 { font-size: 1.25rem; margin: 3.2rem 0 .2rem; padding-bottom: .4rem; border-bottom: 2px solid var(--ink); }
h3 { font-size: 1.02rem; }
h4 { font-size: .88rem; margin: 1.1rem 0 .25rem; }
.codes small { margin-left: .3rem; }
h4.form { font-family: var(--mono); font-weight: 500; font-size: .8rem; }
.intro { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .4rem 2.4rem; margin-top: 1rem; }
.intro h2 { margin: .9rem 0 0; padding: 0; border: 0; font-size: 1.02rem; }
.intro p { margin: .3em 0; }

.operation, .schema { padding: 1.5rem 0; border-bottom: 1px solid var(--line); }
.here { color: inherit; text-decoration: none; }
.here:hover { text-decoration: underline; }
.line { margin: .3rem 0 .1rem; max-width: none; overflow-wrap: anywhere; }
.line b { font: 600 .8rem var(--mono); }
.line .get { color: var(--get); }
.line .post { color: var(--post); }
.who { color: var(--quiet); font-size: .86em; margin-left: .6rem; white-space: nowrap; }
.sides { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 25rem); gap: 0 2rem; align-items: start; }
pre {
  margin: .7rem 0 0; padding: .8rem 1rem; background: var(--panel); overflow-x: auto;
  font-size: 12.5px; line-height: 1.5; border-left: 2px solid var(--line);
}
pre code { font-size: inherit; }
table { width: 100%; margin-top: .3rem; border-collapse: collapse; font-size: 13.5px; }
th, td { text-align: left; vertical-align: top; padding: .3rem .8rem .3rem 0; border-top: 1px solid var(--line); font-weight: 400; overflow-wrap: anywhere; }
tr:first-child > * { border-top: 0; }
.sides th, .schema th { width: 34%; }
.sides .type, .schema .type { width: 30%; }
td:last-child { color: var(--quiet); padding-right: 0; }
td:last-child code { color: var(--ink); }
.codes th { width: 4rem; }
.codes td { color: var(--ink); }
.refusals { font-size: 13.5px; margin-top: 1rem; word-spacing: .3em; }
.refusals b { font-weight: 600; margin-right: .3em; }
:target > h3 > .here, tr:target th { box-shadow: inset 0 -.5em 0 #d99a1c59; }

@media (max-width: 68rem) { .sides { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 48rem) {
  .page { display: block; }
  nav { position: static; max-height: none; padding: 1rem 1.1rem .8rem; border-bottom: 1px solid var(--line); }
  nav ul ul { display: none; }
  nav > ul { display: flex; flex-wrap: wrap; gap: .1rem 1rem; }
  nav .tag { margin: 0; font-weight: 400; padding: .35rem 0; color: var(--link); }
  main { padding: 1.2rem 1.1rem 4rem; border-left: 0; }
  .intro { grid-template-columns: minmax(0, 1fr); }
  .sides tr, .schema tr { display: flex; flex-wrap: wrap; gap: 0 .8rem; padding: .35rem 0; border-top: 1px solid var(--line); }
  .sides tr:first-child, .schema tr:first-child { border-top: 0; }
  .sides tr > *, .schema tr > * { width: auto !important; border: 0; padding: 0; }
  .sides tr > td:last-child, .schema tr > td:last-child { flex-basis: 100%; }
  .who { margin-left: 0; display: block; }
}
@media print { nav { display: none; } .page { display: block; } main { border: 0; } }
`;
