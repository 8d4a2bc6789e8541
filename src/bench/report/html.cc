// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "base/strings.h"
#include "bench/report/page_files.h"
#include "bench/report/plot.h"
#include "bench/report/report.h"

namespace kiste::bench {

namespace {

struct Axiom {
  const char *name, *title, *about;
};
constexpr Axiom kAxioms[] = {
    {"performance", "Performance", "what a sandbox costs: to start, to keep, to work in"},
    {"temporal", "Noninterference in time", "how much neighbours make a victim wait"},
    {"spatial", "Noninterference in space", "what a sandbox can see or touch that is not its own"},
    {"isolation", "Isolation", "how much of the host's kernel is reached"},
};

std::string Tag(std::string_view name, std::string_view text) {
  return StrCat("<", name, ">", Escape(text), "</", name, ">");
}

std::string Ratio(const Estimate& ratio) {
  char text[64];
  snprintf(text, sizeof text, "×%.2f", ratio.median);
  return text;
}

std::string CellHtml(const Figure& figure, const Cell& cell) {
  auto text = StrCat("<td><b>", Escape(Show(cell.value.median, figure.unit)), "</b>");
  if (cell.ratio) text += StrCat(" <span class=\"ratio\">", Ratio(*cell.ratio), "</span>");
  if (cell.rounds.size() > 1) {
    text += StrCat("<small>", Escape(Show(cell.value.interval.low, figure.unit)), " – ",
                   Escape(Show(cell.value.interval.high, figure.unit)), "</small>");
  }
  if (cell.outliers > 0) {
    text +=
        StrCat("<small>", cell.outliers, cell.outliers == 1 ? " outlier" : " outliers", "</small>");
  }
  return text + "</td>";
}

std::string NameOf(const Figure& figure) {
  if (!figure.at) return figure.metric;
  return StrCat(figure.metric, " at ",
                Show(figure.at->x, figure.at->name == "bytes" ? "B" : "count"), " ",
                figure.at->name == "bytes" ? "" : figure.at->name);
}

// The numbers of a workload as a table: a row for each figure, a column for each target.
std::string TableOf(const RecordedRun& run, const std::vector<const Figure*>& figures) {
  std::vector<size_t> targets;
  for (size_t target = 0; target < run.targets.size(); ++target) {
    auto has = [target](const Figure* figure) { return figure->cells.contains(target); };
    if (std::any_of(figures.begin(), figures.end(), has)) targets.push_back(target);
  }
  std::string text = "<div class=\"wide\" tabindex=\"0\"><table><thead><tr><th scope=\"col\"></th>";
  for (size_t target : targets)
    text += StrCat("<th scope=\"col\">", Escape(run.targets[target].name), "</th>");
  text += "</tr></thead><tbody>";
  for (const auto* figure : figures) {
    text += StrCat("<tr><th scope=\"row\">", Escape(NameOf(*figure)), "</th>");
    for (size_t target : targets) {
      auto cell = figure->cells.find(target);
      text += cell == figure->cells.end() ? "<td>–</td>" : CellHtml(*figure, cell->second);
    }
    text += "</tr>";
  }
  return text + "</tbody></table></div>";
}

std::string Queries(const RecordedRun& run, const std::vector<const Figure*>& figures) {
  std::string text;
  std::string last;
  for (const auto* figure : figures) {
    if (figure->metric == last) continue;  // one for a function of x: without its place
    last = figure->metric;
    Figure whole = *figure;
    whole.at.reset();
    text += QueryOf(run, whole) + ";\n";
  }
  return StrCat("<details><summary>The queries that give these samples</summary><pre>",
                Escape(text), "</pre></details>");
}

// The charts of a workload; `number` counts them over the page, as its script does.
std::string Charts(const RecordedRun& run, const std::vector<const Figure*>& figures,
                   size_t& number) {
  std::string text = "<div class=\"charts\">";
  for (const auto& group : ByMetric(figures)) {
    text +=
        StrCat("<figure data-chart=\"", number++, "\"><figcaption>", Escape(group.front()->metric),
               "</figcaption>", PlotSvg(run, group, Placement::kInPage), "</figure>");
  }
  return text + "</div>";
}

std::string Probes(const RecordedRun& run, size_t workload) {
  auto rows = MakeProbeRows(run);
  std::erase_if(rows, [workload](const ProbeRow& row) { return row.workload != workload; });
  if (rows.empty()) return "";
  std::vector<size_t> targets;
  for (size_t target = 0; target < run.targets.size(); ++target) {
    auto has = [target](const ProbeRow& row) { return row.by_target.contains(target); };
    if (std::any_of(rows.begin(), rows.end(), has)) targets.push_back(target);
  }
  std::string text =
      "<p>Each probe tries from inside. <span class=\"v closed\">closed</span> it was refused or "
      "saw "
      "only its own, <span class=\"v sees\">sees</span> it learnt of something outside, <span "
      "class=\"v touches\">touches</span> it could change or use it.</p><details open><summary>All "
      "probes</summary><div class=\"wide\" tabindex=\"0\"><table class=\"probes\"><thead><tr><th "
      "scope=\"col\">probe</th>";
  for (size_t target : targets)
    text += StrCat("<th scope=\"col\">", Escape(run.targets[target].name), "</th>");
  text += "</tr></thead><tbody>";
  for (const auto& row : rows) {
    text += StrCat("<tr><th scope=\"row\">", Escape(row.probe), "</th>");
    for (size_t target : targets) {
      auto at = row.by_target.find(target);
      if (at == row.by_target.end()) {
        text += "<td>–</td>";
        continue;
      }
      text += StrCat("<td class=\"v ", Escape(at->second.verdict), "\" title=\"",
                     Escape(at->second.words), "\">", Escape(at->second.verdict), "</td>");
    }
    text += "</tr>";
  }
  return text + "</tbody></table></div></details>";
}

std::string WorkloadHtml(const RecordedRun& run, const std::vector<Figure>& figures,
                         size_t workload, std::vector<const Figure*>& charted, size_t& number) {
  std::vector<const Figure*> its;
  for (const auto& figure : figures) {
    if (figure.workload == workload) its.push_back(&figure);
  }
  auto probes = Probes(run, workload);
  if (its.empty() && probes.empty()) return "";
  const auto& about = run.workloads[workload];
  auto text = StrCat("<section id=\"w-", workload, "\"><h3>", Escape(about.title), " <code>",
                     Escape(about.name), "</code></h3>");
  auto first = FirstSight(figures, workload);
  charted.insert(charted.end(), first.begin(), first.end());
  text += Charts(run, first, number);
  text += StrCat("<details><summary>Numbers</summary>", TableOf(run, its), "</details>");
  text += Queries(run, its);
  return text + probes + "</section>";
}

std::string MissingHtml(const RecordedRun& run) {
  auto all = MakeMissing(run);
  if (all.empty()) return "<p>Nothing.</p>";
  std::string text =
      "<div class=\"wide\" tabindex=\"0\"><table "
      "class=\"words\"><thead><tr><th>target</th><th>workload</th><th>metric"
      "</th><th>why</th></tr></thead><tbody>";
  for (const auto& missing : all) {
    text += StrCat("<tr>", Tag("td", missing.target), Tag("td", missing.workload),
                   Tag("td", missing.metric), "<td>", Escape(missing.why),
                   missing.times > 1 ? StrCat(" (", missing.times, " times)") : "", "</td></tr>");
  }
  return text + "</tbody></table></div>";
}

std::string NoiseHtml(const RecordedRun& run) {
  size_t disturbed = 0;
  double stolen = 0, others = 0;
  for (const auto& trial : run.trials) {
    disturbed += trial.disturbed ? 1 : 0;
    stolen = std::max(stolen, trial.stolen);
    others = std::max(others, trial.others);
  }
  char text[256];
  snprintf(text, sizeof text,
           "<p>%zu of %zu trials were disturbed: the hypervisor took more than 2 %% of the "
           "processors' time, or other processes more than 5 %%. At most these took %.0f %% and "
           "%.0f %%. Disturbed trials are in all figures.</p>",
           disturbed, run.trials.size(), 100 * stolen, 100 * others);
  return text;
}

std::string HostHtml(const RecordedRun& run) {
  std::string text = "<dl>";
  for (const auto& [key, value] : run.host) text += Tag("dt", key) + Tag("dd", value);
  text += "</dl><h3>Targets</h3><dl>";
  for (const auto& target : run.targets) {
    text += Tag("dt", target.name);
    text += Tag("dd", StrCat(target.title, "; ", target.isolation,
                             target.version.empty() ? "" : "; ", target.version));
  }
  return text + "</dl>";
}

// JSON inside a script element: "</" would end it.
std::string DataForScript(const RecordedRun& run, const std::vector<const Figure*>& charted) {
  auto json = JsonOf(run, charted);
  std::string safe;
  for (char c : json) safe += c == '<' ? std::string("\\u003c") : std::string(1, c);
  return safe;
}

std::string Head(const RecordedRun& run) {
  return StrCat(
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta http-equiv=\""
      "Content-Security-Policy\" content=\"default-src 'none'; style-src '",
      kPageStyleHash, "'; script-src '", kPageScriptHash,
      "'; base-uri 'none'; form-action 'none'\"><meta name=\"viewport\" content=\""
      "width=device-width, initial-scale=1\"><title>kiste-bench: ",
      Escape(run.name), "</title><style>", kPageStyle, "</style></head><body>");
}

}  // namespace

std::string HtmlReport(const RecordedRun& run) {
  auto figures = MakeFigures(run);
  std::string contents, body;
  std::vector<const Figure*> charted;
  size_t number = 0;
  for (const auto& axiom : kAxioms) {
    std::string part;
    for (size_t workload = 0; workload < run.workloads.size(); ++workload) {
      if (run.workloads[workload].axiom != axiom.name) continue;
      auto html = WorkloadHtml(run, figures, workload, charted, number);
      if (html.empty()) continue;
      part += html;
      contents +=
          StrCat("<a href=\"#w-", workload, "\">", Escape(run.workloads[workload].name), "</a> ");
    }
    if (part.empty()) continue;
    body += StrCat("<section id=\"", axiom.name, "\"><h2>", axiom.title, "</h2><p class=\"about\">",
                   axiom.about, "</p>", part, "</section>");
  }
  const auto& base = run.targets.empty() ? std::string("none") : run.targets[Baseline(run)].name;
  auto intro = StrCat(
      "<header><h1>What sandboxes cost and give</h1><p>Run <b>", Escape(run.name), "</b>, ",
      Escape(run.began), ", ", run.rounds, run.rounds == 1 ? " round" : " rounds",
      run.ended.empty() ? ", <b>not finished</b>" : "",
      ". Dots are medians over rounds, faint dots the rounds, bars the 99 % interval "
      "(of fewer than ",
      kFewestForInterval,
      " rounds their range, which covers the median less often: of 2 in one half, of 5 in 94 "
      "of 100); × is the ratio to <b>",
      Escape(base), "</b>, taken within rounds.</p><nav>", contents,
      "<a href=\"#missing\">not measured</a> <a href=\"#host\">host</a></nav></header>");
  return StrCat(Head(run), intro, "<div id=\"controls\" hidden></div><main>", body,
                "<section id=\"missing\"><h2>Not measured</h2>", MissingHtml(run), "</section>",
                "<section id=\"noise\"><h2>Noise</h2>", NoiseHtml(run), "</section>",
                "<section id=\"host\"><h2>Host</h2>", HostHtml(run), "</section>",
                "<section id=\"repeat\"><h2>How to repeat</h2><pre>", Escape(run.command),
                "</pre><p>kiste-bench ", Escape(run.version), ", seed ", run.seed,
                "; an order of trials is drawn again by <code>--seed</code>.</p></section></main>",
                "<script type=\"application/json\" id=\"data\">", DataForScript(run, charted),
                "</script>", "<script>", kPageScript, "</script></body></html>\n");
}

}  // namespace kiste::bench
