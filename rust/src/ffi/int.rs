//! The value of an int without asking it.

use pyo3::ffi;

use super::Obj;

/// An int's value, by the form it is written in.
#[derive(Debug)]
pub enum Int {
    /// Fits i64.
    Small(i64),
    /// Fits u64 and not i64.
    Large(u64),
    /// Two's complement, big-endian, as short as the sign allows.
    Big(Vec<u8>),
    /// No memory for the bytes of a big one.
    NoMemory,
}

/// The value of an int or subclass.
#[inline(always)]
pub fn int_value(obj: Obj) -> Int {
    #[cfg(not(Py_3_12))]
    {
        // SAFETY: the object is an int by layout. On 3.11 its size counts 30-bit digits and carries the sign; a digit
        // is read only where the size says that there is one.
        unsafe {
            let var = obj.ptr().cast::<ffi::PyVarObject>();
            let digits = var.add(1).cast::<u32>();
            match (*var).ob_size {
                0 => return Int::Small(0),
                1 => return Int::Small(i64::from(*digits)),
                2 => return Int::Small(i64::from(*digits) | i64::from(*digits.add(1)) << 30),
                -1 => return Int::Small(-i64::from(*digits)),
                _ => {}
            }
        }
    }
    wide(obj)
}

/// True for an int or subclass that is seen at a glance to fit 64 bits.
#[inline(always)]
pub fn is_short_int(obj: Obj) -> bool {
    #[cfg(not(Py_3_12))]
    {
        // SAFETY: an int by layout, whose size counts 30-bit digits.
        unsafe { (*obj.ptr().cast::<ffi::PyVarObject>()).ob_size.unsigned_abs() <= 2 }
    }
    #[cfg(Py_3_12)]
    {
        let _ = obj;
        false
    }
}

fn wide(obj: Obj) -> Int {
    let mut overflow = 0;
    // SAFETY: an int by layout: the call reads digits and runs no Python code; -1 with an overflow flag of zero
    // is the value -1, since no error is possible for an int.
    let small = unsafe { ffi::PyLong_AsLongLongAndOverflow(obj.ptr(), &raw mut overflow) };
    if overflow == 0 {
        return Int::Small(small);
    }
    if overflow > 0 {
        // SAFETY: as above; the overflow error is cleared in the same step.
        unsafe {
            let large = ffi::PyLong_AsUnsignedLongLong(obj.ptr());
            if ffi::PyErr_Occurred().is_null() {
                return Int::Large(large);
            }
            ffi::PyErr_Clear();
        }
    }
    big(obj)
}

unsafe extern "C" {
    fn _PyLong_NumBits(v: *mut ffi::PyObject) -> usize;
}

fn big(obj: Obj) -> Int {
    // SAFETY: an int by layout; counts its bits.
    let size = unsafe { _PyLong_NumBits(obj.ptr()) } / 8 + 1;
    let mut bytes = Vec::new();
    if bytes.try_reserve_exact(size).is_err() {
        return Int::NoMemory;
    }
    bytes.resize(size, 0);
    // SAFETY: the buffer has room for every bit and the sign, so the call cannot overflow it or fail.
    unsafe {
        #[cfg(not(Py_3_13))]
        ffi::_PyLong_AsByteArray(obj.ptr().cast(), bytes.as_mut_ptr(), size, 0, 1);
        #[cfg(Py_3_13)]
        ffi::PyLong_AsNativeBytes(obj.ptr(), bytes.as_mut_ptr().cast(), size.cast_signed(), 0);
    }
    // -2**(8k-1) fits one byte less than its number of bits suggests.
    if bytes.len() > 1 && bytes[0] == 0xff && bytes[1] >= 0x80 {
        bytes.remove(0);
    }
    Int::Big(bytes)
}
