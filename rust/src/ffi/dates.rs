//! The fields of datetime's own types, and these types made from fields.

use core::ffi::c_int;

use pyo3::ffi;
use pyo3::prelude::*;

use super::{Obj, Owned};

/// Year, month, day.
pub type Day = (u16, u8, u8);

/// Time of day.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    /// 0..=23
    pub hour: u8,
    /// 0..=59
    pub minute: u8,
    /// 0..=59
    pub second: u8,
    /// 0..=999 999
    pub micros: u32,
    /// 0 or 1
    pub fold: u8,
}

/// A value of datetime's own types whose zone, if it can have one, is none or UTC.
#[derive(Clone, Copy, Debug)]
pub enum Moment {
    /// datetime, and whether its zone is `datetime.UTC`.
    DateTime(Day, Clock, bool),
    /// date
    Date(Day),
    /// time without a zone
    Time(Clock),
    /// timedelta: days, seconds, microseconds, normalised.
    Delta(i32, u32, u32),
}

/// Looks up datetime's C interface. Imports, so it is called where Python code may run.
pub fn load_dates(py: Python<'_>) -> PyResult<()> {
    // SAFETY: imports a capsule of the standard library; a failure leaves the pointer null and an exception set.
    unsafe {
        ffi::PyDateTime_IMPORT();
        if ffi::PyDateTimeAPI().is_null() { Err(PyErr::fetch(py)) } else { Ok(()) }
    }
}

/// The fields of an object that is exactly of one of the four types; None for any other, and for one with a zone.
pub fn moment(obj: Obj) -> Option<Moment> {
    // SAFETY: the interface is a table that lives for ever once it is loaded. The object's type is compared by address
    // before its layout is used; the accessors read bytes of its own storage.
    unsafe {
        let api = ffi::PyDateTimeAPI().as_ref()?;
        let (ty, raw) = (ffi::Py_TYPE(obj.ptr()), obj.ptr());
        if ty == api.DateTimeType {
            let zone = ffi::PyDateTime_DATE_GET_TZINFO(raw);
            let clock = Clock {
                hour: byte(ffi::PyDateTime_DATE_GET_HOUR(raw)),
                minute: byte(ffi::PyDateTime_DATE_GET_MINUTE(raw)),
                second: byte(ffi::PyDateTime_DATE_GET_SECOND(raw)),
                micros: ffi::PyDateTime_DATE_GET_MICROSECOND(raw).cast_unsigned(),
                fold: ffi::PyDateTime_DATE_GET_FOLD(raw),
            };
            let utc = zone == api.TimeZone_UTC;
            return (utc || zone == ffi::Py_None()).then(|| Moment::DateTime(day(raw), clock, utc));
        }
        if ty == api.DateType {
            return Some(Moment::Date(day(raw)));
        }
        if ty == api.TimeType {
            let clock = Clock {
                hour: byte(ffi::PyDateTime_TIME_GET_HOUR(raw)),
                minute: byte(ffi::PyDateTime_TIME_GET_MINUTE(raw)),
                second: byte(ffi::PyDateTime_TIME_GET_SECOND(raw)),
                micros: ffi::PyDateTime_TIME_GET_MICROSECOND(raw).cast_unsigned(),
                fold: ffi::PyDateTime_TIME_GET_FOLD(raw),
            };
            return (ffi::PyDateTime_TIME_GET_TZINFO(raw) == ffi::Py_None()).then_some(Moment::Time(clock));
        }
        if ty == api.DeltaType {
            let seconds = ffi::PyDateTime_DELTA_GET_SECONDS(raw).cast_unsigned();
            let micros = ffi::PyDateTime_DELTA_GET_MICROSECONDS(raw).cast_unsigned();
            return Some(Moment::Delta(ffi::PyDateTime_DELTA_GET_DAYS(raw), seconds, micros));
        }
        None
    }
}

/// True for what `moment` gives, unless it is the second of two equal times in UTC.
pub fn is_moment(obj: Obj) -> bool {
    // SAFETY: as above.
    unsafe {
        let Some(api) = ffi::PyDateTimeAPI().as_ref() else { return false };
        let (ty, raw) = (ffi::Py_TYPE(obj.ptr()), obj.ptr());
        if ty == api.DateTimeType {
            let zone = ffi::PyDateTime_DATE_GET_TZINFO(raw);
            return zone == ffi::Py_None() || (zone == api.TimeZone_UTC && ffi::PyDateTime_DATE_GET_FOLD(raw) == 0);
        }
        if ty == api.TimeType {
            return ffi::PyDateTime_TIME_GET_TZINFO(raw) == ffi::Py_None();
        }
        ty == api.DateType || ty == api.DeltaType
    }
}

fn byte(field: c_int) -> u8 {
    u8::try_from(field).unwrap_or_default()
}

/// # Safety
/// The object is a date or datetime by layout.
unsafe fn day(raw: *mut ffi::PyObject) -> Day {
    // SAFETY: promised by the caller.
    unsafe {
        let year = u16::try_from(ffi::PyDateTime_GET_YEAR(raw)).unwrap_or_default();
        (year, byte(ffi::PyDateTime_GET_MONTH(raw)), byte(ffi::PyDateTime_GET_DAY(raw)))
    }
}

/// The object of these fields; None if there is none, or no memory.
pub fn make_moment(moment: Moment) -> Option<Owned> {
    // SAFETY: the constructors of the loaded interface check their arguments and run C code only; they give a new
    // reference, or null with an exception set, which is given up here.
    unsafe {
        let api = ffi::PyDateTimeAPI().as_ref()?;
        let raw = match moment {
            Moment::DateTime((year, month, day), clock, utc) => (api.DateTime_FromDateAndTimeAndFold)(
                year.into(),
                month.into(),
                day.into(),
                clock.hour.into(),
                clock.minute.into(),
                clock.second.into(),
                clock.micros.cast_signed(),
                if utc { api.TimeZone_UTC } else { ffi::Py_None() },
                clock.fold.into(),
                api.DateTimeType,
            ),
            Moment::Date((year, month, day)) => {
                (api.Date_FromDate)(year.into(), month.into(), day.into(), api.DateType)
            }
            Moment::Time(clock) => (api.Time_FromTimeAndFold)(
                clock.hour.into(),
                clock.minute.into(),
                clock.second.into(),
                clock.micros.cast_signed(),
                ffi::Py_None(),
                clock.fold.into(),
                api.TimeType,
            ),
            Moment::Delta(days, seconds, micros) => {
                (api.Delta_FromDelta)(days, seconds.cast_signed(), micros.cast_signed(), 1, api.DeltaType)
            }
        };
        let made = Owned::from_new(raw);
        if made.is_none() {
            ffi::PyErr_Clear();
        }
        made
    }
}
