//! Line charts as SVG.

use anyhow::Context;
use plotters::prelude::*;

/// Width and height in pixels.
const SIZE: (u32, u32) = (720, 420);

/// Colours that are distinct for colour-blind readers (Okabe and Ito).
const COLOURS: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

/// A chart with logarithmic axes. All coordinates are greater than zero.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chart {
    /// The file name, in the folder of the report.
    pub(super) file: &'static str,
    /// The caption.
    pub(super) title: &'static str,
    /// The label of the x axis.
    pub(super) x: &'static str,
    /// The label of the y axis.
    pub(super) y: &'static str,
    /// The lines, in the order of the legend.
    pub(super) lines: Vec<Line>,
}

/// One line of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    /// The text in the legend.
    pub(super) label: String,
    /// Measured points, from left to right.
    pub(super) measured: Vec<(f64, f64)>,
    /// Computed points, drawn as a dashed continuation of the measured ones.
    pub(super) extrapolated: Vec<(f64, f64)>,
}

impl Line {
    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.measured.iter().chain(&self.extrapolated).copied()
    }
}

impl Chart {
    /// Renders the chart.
    pub(super) fn svg(&self) -> anyhow::Result<String> {
        let mut svg = String::new();
        self.draw(&SVGBackend::with_string(&mut svg, SIZE).into_drawing_area())
            .with_context(|| format!("cannot draw {}", self.file))?;
        Ok(svg + "\n")
    }

    /// Returns every x coordinate that has a point.
    fn ticks(&self) -> Vec<f64> {
        let mut ticks: Vec<_> = self
            .lines
            .iter()
            .flat_map(Line::points)
            .map(|(x, _)| x)
            .collect();
        ticks.sort_by(f64::total_cmp);
        ticks.dedup();
        ticks
    }

    fn draw(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    ) -> anyhow::Result<()> {
        let range = |of: fn((f64, f64)) -> f64| {
            let values = self.lines.iter().flat_map(Line::points).map(of);
            let (least, most) = values
                .fold((f64::MAX, f64::MIN_POSITIVE), |(least, most), value| {
                    (least.min(value), most.max(value))
                });
            least * 0.8..most * 1.25
        };
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 18))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(
                range(|(x, _)| x).log_scale().with_key_points(self.ticks()),
                range(|(_, y)| y).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|value| value.to_string())
            .y_label_formatter(&|value| value.to_string())
            .max_light_lines(0)
            .draw()?;
        for (line, colour) in self.lines.iter().zip(COLOURS.into_iter().cycle()) {
            let solid = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(line.measured.iter().copied(), solid))?
                .label(&line.label)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], solid));
            let onwards = line.measured.last().into_iter().chain(&line.extrapolated);
            chart.draw_series(DashedLineSeries::new(onwards.copied(), 6, 5, solid))?;
            let dot = |point: &(f64, f64)| Circle::new(*point, 3, colour.filled());
            chart.draw_series(line.measured.iter().map(dot))?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE)
            .border_style(BLACK.mix(0.3))
            .draw()?;
        area.present()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(extrapolated: Vec<(f64, f64)>) -> Chart {
        let line = |label: &str, extrapolated| Line {
            label: label.to_owned(),
            measured: vec![(10.0, 2.0), (100.0, 8.0)],
            extrapolated,
        };
        Chart {
            file: "chart.svg",
            title: "Commits & entities",
            x: "entities",
            y: "commits",
            lines: vec![line("one at a time", extrapolated), line("ten", Vec::new())],
        }
    }

    #[test]
    fn a_chart_has_a_label_for_each_line_and_a_dot_for_each_measured_point() {
        let svg = chart(Vec::new()).svg().unwrap();
        for text in [
            "Commits &amp; entities",
            "entities",
            "commits",
            "one at a time",
            "ten",
        ] {
            assert!(svg.contains(text), "{text} in {svg}");
        }
        assert_eq!(svg.matches("<circle").count(), 4, "{svg}");
    }

    #[test]
    fn extrapolated_points_are_dashes_without_dots_and_widen_the_range() {
        let measured = chart(Vec::new()).svg().unwrap();
        let extrapolated = chart(vec![(1000.0, 900.0)]).svg().unwrap();
        assert_eq!(extrapolated.matches("<circle").count(), 4);
        let strokes = |svg: &str| svg.matches("<polyline").count();
        assert!(
            strokes(&extrapolated) > strokes(&measured) + 5,
            "{extrapolated}"
        );
    }

    #[test]
    fn rendering_is_deterministic() {
        assert_eq!(
            chart(Vec::new()).svg().unwrap(),
            chart(Vec::new()).svg().unwrap()
        );
    }
}
