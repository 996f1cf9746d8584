//! Says in the footer that numbers are ordered as their type orders them.
//!
//! The `parquet` crate states IEEE 754's total order for floats, which is young: Arrow and what is built upon it then
//! leave the smallest and largest values of these columns aside, and read every row group of a file that is asked for
//! a few. Not a number is never written here, and without it both orders have the same smallest and largest value (but
//! for the sign of zero, which readers of the older order are told not to rely on). So the older order is as true, and
//! everybody knows it. The crate has no setting for it; what it wrote is changed in place, of the same length.
//!
//! Nothing else of a footer is looked at: one that does not end as expected stays as it is.

/// `FileMetaData.column_orders[i]` in the compact protocol: the field of the union that is set, in it an empty struct
/// (its end), and the end of the union.
const BY_TYPE: [u8; 3] = [0x1c, 0, 0];
const TOTAL: [u8; 3] = [0x2c, 0, 0];

/// The length of the footer and the magic bytes, behind it.
const TAIL_BYTES: usize = 8;

/// Changes the orders of all columns (leaves of the schema) at the end of a finished file.
pub(super) fn state_type_defined(file: &mut [u8], columns: usize) {
    // The orders are the last field of the footer: behind them it ends.
    let Some(end) = file.len().checked_sub(TAIL_BYTES + 1) else { return };
    let Some(start) = end.checked_sub(columns * BY_TYPE.len()) else { return };
    if file[end] != 0 {
        return;
    }
    let (orders, _) = file[start..end].as_chunks_mut::<3>();
    if orders.iter().all(|order| *order == BY_TYPE || *order == TOTAL) {
        orders.fill(BY_TYPE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_orders_are_changed() {
        let file = |orders: &[u8]| [b"PAR1", orders, b"\0\x11\0\0\0PAR1"].concat();
        let mut known = file(&[TOTAL, BY_TYPE, TOTAL].concat());
        state_type_defined(&mut known, 3);
        assert_eq!(known, file(&[BY_TYPE; 3].concat()));

        for orders in [&b"\x3c\0\0\x2c\0\0"[..], b"\x2c\0\0\x2c\0", b""] {
            let mut other = file(orders);
            state_type_defined(&mut other, 2);
            assert_eq!(other, file(orders));
        }
    }
}
