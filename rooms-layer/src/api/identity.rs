//! What a server knows a namespace by.

use crate::{
    contract::Namespace,
    namespace::{self, Contract},
};
use std::any::{TypeId, type_name};

/// What a handle must name to reach a namespace.
pub(crate) fn identity<N: Namespace>() -> Contract {
    Contract {
        id: TypeId::of::<N::Contract>(),
        name: name::<N>(),
    }
}

/// What the path of a dynamic namespace says.
pub(crate) fn values<N: Namespace>(core: &namespace::Namespace) -> &N::Contract {
    let values = core.values().and_then(|values| values.downcast_ref());
    values.expect("the contract made the values of its path")
}

/// The name of the type as its users write it, for errors.
pub(crate) fn name<N: Namespace>() -> &'static str {
    let path = type_name::<N>();
    path.rsplit("::").next().unwrap_or(path)
}
