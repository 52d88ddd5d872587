//! The normal distribution, and the Kolmogorov–Smirnov test.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

/// How likely a standard normal variable is below `x`.
///
/// The series of Marsaglia, "Evaluating the Normal Distribution", Journal of Statistical Software
/// 11 (2004): absolute errors stay below 1e-14.
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    // Terms of the series grow up to about x^2 / 2 of them: 8 is reached within 200.
    const TERMS: u32 = 400;
    if x.is_nan() || x.abs() > 8.0 {
        return if x > 0.0 { 1.0 } else { 0.0 };
    }
    let (mut sum, mut term, square) = (x, x, x * x);
    for odd in (0..TERMS).map(|index| f64::from(2 * index + 3)) {
        term *= square / odd;
        let before = sum;
        sum += term;
        if sum.to_bits() == before.to_bits() {
            break;
        }
    }
    let density = FRAC_1_SQRT_2 / PI.sqrt() * (-square / 2.0).exp();
    (0.5 + density * sum).clamp(0.0, 1.0)
}

/// The value that a standard normal variable is below with the likelihood `share`, which is held
/// within what 64 bits of floating point tell apart from 0 and 1.
///
/// Wichura, algorithm AS 241 (PPND16), Applied Statistics 37 (1988): relative errors of about
/// 1e-16.
#[must_use]
pub fn normal_quantile(share: f64) -> f64 {
    let share = share.clamp(f64::MIN_POSITIVE, 1.0 - f64::EPSILON / 2.0);
    let middle = share - 0.5;
    if middle.abs() <= 0.425 {
        let at = 0.180_625 - middle * middle;
        return middle * polynomial(&CENTRE[0], at) / polynomial(&CENTRE[1], at);
    }
    let at = (-share.min(1.0 - share).ln()).sqrt();
    let away = if at <= 5.0 {
        polynomial(&SIDE[0], at - 1.6) / polynomial(&SIDE[1], at - 1.6)
    } else {
        polynomial(&TAIL[0], at - 5.0) / polynomial(&TAIL[1], at - 5.0)
    };
    away.copysign(middle)
}

fn polynomial(coefficients: &[f64], at: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, coefficient| sum.mul_add(at, *coefficient))
}

/// Numerators and denominators, from the constant term on.
static CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
static SIDE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
static TAIL: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

/// The Kolmogorov–Smirnov statistic: the largest distance between the share of `sorted` values up
/// to a point and what the distribution says, from 0 to 1.
///
/// `sorted` is in ascending order; of no values the distance is 0.
#[must_use]
pub fn distance(sorted: &[f64], cdf: impl Fn(f64) -> f64) -> f64 {
    let len = float(sorted.len());
    let steps = sorted.iter().enumerate().map(|(at, value)| {
        let (expected, before, behind) = (cdf(*value), float(at) / len, float(at + 1) / len);
        (expected - before).abs().max((behind - expected).abs())
    });
    steps.fold(0.0, f64::max)
}

/// The same between two samples, each in ascending order.
#[must_use]
pub fn distance_between(one: &[f64], other: &[f64]) -> f64 {
    let share = |sorted: &[f64], value: f64| {
        float(sorted.partition_point(|each| *each <= value)) / float(sorted.len().max(1))
    };
    let points = one.iter().chain(other);
    points.map(|point| (share(one, *point) - share(other, *point)).abs()).fold(0.0, f64::max)
}

/// How likely a distance of at least this much is by chance, for so many independent values; of
/// two samples of n and m values that is n·m / (n + m).
///
/// Kolmogorov's limit with the correction for few values of Stephens, "EDF Statistics for Goodness
/// of Fit", JASA 69 (1974). Where parameters were estimated from the same values, the true
/// likelihood is smaller.
#[must_use]
pub fn chance(values: f64, distance: f64) -> f64 {
    const TERMS: u32 = 100;
    let root = values.max(0.0).sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    if values <= 0.0 || lambda < 0.2 {
        return 1.0;
    }
    if lambda < 1.18 {
        // The same function, written so that it converges here.
        let term = |k: u32| {
            let odd = f64::from(2 * k - 1) * PI / lambda;
            (-odd * odd / 8.0).exp()
        };
        let sum: f64 = (1..=TERMS).map(term).sum();
        return (1.0 - (SQRT_2 * PI.sqrt() / lambda) * sum).clamp(0.0, 1.0);
    }
    let term = |k: u32| {
        let at = f64::from(k) * lambda;
        let size = (-2.0 * at * at).exp();
        if k % 2 == 1 { size } else { -size }
    };
    let sum: f64 = (1..=TERMS).map(term).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "samples have far less than 2^53 values")]
const fn float(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::{chance, distance, distance_between, normal_cdf, normal_quantile};

    /// Values of scipy.stats.norm.
    #[test]
    fn the_normal_distribution_is_the_published_one() {
        for (x, share) in [
            (-6.0, 9.865_876_450_376_946e-10),
            (-1.0, 0.158_655_253_931_457_05),
            (0.0, 0.5),
            (0.5, 0.691_462_461_274_013_1),
            (1.959_963_984_540_054, 0.975),
            (4.0, 0.999_968_328_758_166_9),
        ] {
            assert!((normal_cdf(x) - share).abs() < 1e-13, "{x}: {}", normal_cdf(x));
            assert!((normal_quantile(share) - x).abs() < 1e-9, "{x}: {}", normal_quantile(share));
        }
        assert_eq!(normal_cdf(9.0), 1.0);
        assert_eq!(normal_cdf(-9.0), 0.0);
        assert!((normal_quantile(1e-12) + 7.034_483_825_301_132).abs() < 1e-9);
        assert!(normal_quantile(0.0).is_finite());
        assert!(normal_quantile(1.0).is_finite());
    }

    #[test]
    fn a_quantile_is_the_inverse() {
        for step in 1..1_000 {
            let share = f64::from(step) / 1_000.0;
            assert!((normal_cdf(normal_quantile(share)) - share).abs() < 1e-13, "{share}");
        }
    }

    /// Values of scipy.special.kolmogorov, at lambda as the correction makes it.
    #[test]
    fn chance_is_kolmogorovs() {
        for (lambda, likely) in [
            (0.5, 0.963_945_243_664_875_1),
            (1.0, 0.269_999_671_677_354_56),
            (1.17, 0.129_390_042_185_6),
            (1.358_098_6, 0.05),
            (1.627_623_6, 0.01),
            (2.0, 6.709_252_557_796_953e-4),
        ] {
            let distance = lambda / (100.0 + 0.12 + 0.001_1);
            let found = chance(10_000.0, distance);
            assert!((found - likely).abs() < 1e-4, "{lambda}: {found}");
        }
        assert_eq!(chance(0.0, 1.0), 1.0);
        assert_eq!(chance(100.0, 0.0), 1.0);
    }

    #[test]
    fn distances_are_the_largest() {
        let even: Vec<f64> = (0..10).map(|at| (f64::from(at) + 0.5) / 10.0).collect();
        assert!((distance(&even, |x| x) - 0.05).abs() < 1e-12);
        assert!((distance(&even, |x| x * x) - 0.297_5).abs() < 1e-12);
        assert_eq!(distance(&[], |x| x), 0.0);
        assert!((distance_between(&[1.0, 2.0], &[2.0, 3.0]) - 0.5).abs() < 1e-12);
        assert_eq!(distance_between(&even, &even), 0.0);
    }
}
