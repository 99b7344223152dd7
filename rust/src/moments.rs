//! The payloads of dates and times without a zone or in UTC: `siftpack.values.times` for what most of them are.
//!
//! What is not dealt with here is left to Python, and so is every refusal, so that there is one source of words.

use crate::ffi::{Clock, Day, Moment, Obj, Owned, make_moment, moment};
use crate::kind::code;

const DAY: i64 = 86_400;
const MICROS: u32 = 1_000_000;
/// First day of the year 1, and the day after the last of 9999, counted from 1970.
const DAYS: core::ops::Range<i64> = -719_162..2_932_897;

/// A payload of a few bytes.
#[derive(Clone, Copy, Debug)]
pub struct Short([u8; 12], u8);

impl Short {
    fn new(parts: &[&[u8]]) -> Self {
        let (mut bytes, mut size) = ([0; 12], 0);
        for part in parts {
            bytes[size..size + part.len()].copy_from_slice(part);
            size += part.len();
        }
        Self(bytes, u8::try_from(size).unwrap_or_default())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0[..usize::from(self.1)]
    }
}

/// Hands the ext code and payload of an object on, where [`lower`] gives them. The payload is not moved about: what is
/// written in pieces and read as a whole a moment later makes a processor wait.
#[inline(always)]
pub fn hand_on<R>(obj: Obj, write: impl FnOnce(i8, &[u8]) -> R) -> Option<R> {
    match moment(obj)? {
        Moment::DateTime(day, clock, true) if clock.fold == 0 => {
            Some(timestamp(day, clock, |payload| write(code::TIMESTAMP, payload)))
        }
        _ => lower(obj).map(|(code, payload)| write(code, payload.as_bytes())),
    }
}

/// The ext code and payload of an object that is exactly of datetime's own types; None where Python has to look.
pub fn lower(obj: Obj) -> Option<(i8, Short)> {
    Some(match moment(obj)? {
        Moment::DateTime(day, clock, true) if clock.fold == 0 => {
            (code::TIMESTAMP, timestamp(day, clock, |payload| Short::new(&[payload])))
        }
        Moment::DateTime(_, _, true) => return None,
        Moment::DateTime(day, clock, false) => (code::DATETIME, Short::new(&[&date(day), &time(clock)])),
        Moment::Date(day) => (code::DATE, Short::new(&[&date(day)])),
        Moment::Time(clock) => (code::TIME, Short::new(&[&time(clock)])),
        Moment::Delta(days, seconds, micros) => {
            let parts = [&days.to_be_bytes(), &seconds.to_be_bytes(), &micros.to_be_bytes()];
            (code::TIMEDELTA, Short::new(&parts.map(<[u8; 4]>::as_slice)))
        }
    })
}

fn date((year, month, day): Day) -> [u8; 4] {
    let [high, low] = year.to_be_bytes();
    [high, low, month, day]
}

fn time(clock: Clock) -> [u8; 7] {
    let [_, high, mid, low] = clock.micros.to_be_bytes();
    [clock.hour, clock.minute, clock.second, high, mid, low, clock.fold]
}

/// MessagePack's timestamp in the shortest of its three forms.
#[inline(always)]
fn timestamp<R>(day: Day, clock: Clock, write: impl FnOnce(&[u8]) -> R) -> R {
    let of_day = (i64::from(clock.hour) * 60 + i64::from(clock.minute)) * 60 + i64::from(clock.second);
    let (seconds, nanos) = (days_from(day) * DAY + of_day, clock.micros * 1000);
    match (u32::try_from(seconds), u64::try_from(seconds)) {
        (Ok(seconds), _) if nanos == 0 => write(&seconds.to_be_bytes()),
        (_, Ok(seconds)) if seconds < 1 << 34 => write(&(u64::from(nanos) << 34 | seconds).to_be_bytes()),
        _ => write(Short::new(&[&nanos.to_be_bytes(), &seconds.to_be_bytes()]).as_bytes()),
    }
}

/// The value of a payload; None where Python has to look, a bad payload among them.
pub fn build(code: i8, payload: &[u8]) -> Option<Owned> {
    make_moment(match (code, payload) {
        (code::TIMESTAMP, _) => from_timestamp(payload)?,
        (code::DATETIME, _) => {
            let (day, clock) = payload.split_at_checked(4)?;
            Moment::DateTime(to_date(day)?, to_clock(clock)?, false)
        }
        (code::DATE, _) => Moment::Date(to_date(payload)?),
        (code::TIME, _) => Moment::Time(to_clock(payload)?),
        (code::TIMEDELTA, _) => {
            let (days, rest) = payload.split_first_chunk::<4>()?;
            let (seconds, rest) = rest.split_first_chunk::<4>()?;
            let (seconds, micros) = (u32::from_be_bytes(*seconds), u32::from_be_bytes(rest.try_into().ok()?));
            if i64::from(seconds) >= DAY || micros >= MICROS {
                return None;
            }
            Moment::Delta(i32::from_be_bytes(*days), seconds, micros)
        }
        _ => return None,
    })
}

fn to_date(payload: &[u8]) -> Option<Day> {
    let &[high, low, month, day] = payload else { return None };
    Some((u16::from_be_bytes([high, low]), month, day))
}

/// A time of day, unless a zone comes with it.
fn to_clock(payload: &[u8]) -> Option<Clock> {
    let &[hour, minute, second, high, mid, low, fold @ (0 | 1)] = payload else { return None };
    Some(Clock { hour, minute, second, micros: u32::from_be_bytes([0, high, mid, low]), fold })
}

fn from_timestamp(payload: &[u8]) -> Option<Moment> {
    let (seconds, nanos) = match payload.len() {
        4 => (i64::from(u32::from_be_bytes(payload.try_into().ok()?)), 0),
        8 => {
            let packed = u64::from_be_bytes(payload.try_into().ok()?);
            ((packed & ((1 << 34) - 1)).cast_signed(), u32::try_from(packed >> 34).ok()?)
        }
        12 => {
            let (nanos, seconds) = payload.split_first_chunk::<4>()?;
            (i64::from_be_bytes(seconds.try_into().ok()?), u32::from_be_bytes(*nanos))
        }
        _ => return None,
    };
    let (days, of_day) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    if nanos >= 1000 * MICROS || !DAYS.contains(&days) {
        return None;
    }
    let part = |value: i64| u8::try_from(value).ok();
    let (hour, minute, second) = (part(of_day / 3600)?, part(of_day / 60 % 60)?, part(of_day % 60)?);
    let clock = Clock { hour, minute, second, micros: nanos / 1000, fold: 0 };
    Some(Moment::DateTime(day_of(days)?, clock, true))
}

/// Days from 1970-01-01 to a day of the proleptic Gregorian calendar. Years begin with March here, so that the leap
/// day is the last of its year.
fn days_from((year, month, day): Day) -> i64 {
    let (month, day) = (u32::from(month), u32::from(day));
    let year = u32::from(year).saturating_sub(u32::from(month <= 2));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day;
    i64::from(year * 365 + year / 4 - year / 100 + year / 400 + of_year) - 719_469
}

/// The inverse of [`days_from`], for years that are not negative.
fn day_of(days: i64) -> Option<Day> {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = (shifted_month + 2) % 12 + 1;
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    Some((u16::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?))
}
