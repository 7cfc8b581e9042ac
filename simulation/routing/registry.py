"""Declarations of router drivers: a name, a section of the manual and the function."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from eximious.simulation.routing.address import RoutedAddress
    from eximious.simulation.routing.run import RouterRun

    #: the run and the address -> one of the results of :mod:`eximious.simulation.routing.results`
    Driver = Callable[[RouterRun, RoutedAddress], str]

DRIVERS: dict[str, Driver] = {}
#: driver -> the section of the manual that is its source
SECTIONS: dict[str, str] = {}


def router_driver(name: str, *, section: str) -> Callable[[Driver], Driver]:
    """Register a driver: ``f(run, address)`` gives a result; its module is ``drivers/NAME.py``."""

    def register(function: Driver) -> Driver:
        DRIVERS[name], SECTIONS[name] = function, section
        return function

    return register


def driver(name: str) -> Driver:
    """Give the function of a driver; its module is imported when it is first used. Raises KeyError."""
    found = DRIVERS.get(name)
    if found is None:
        from importlib import import_module

        try:
            import_module(f"eximious.simulation.routing.drivers.{name}")
        except ModuleNotFoundError:
            raise KeyError(name) from None
        found = DRIVERS[name]
    return found
