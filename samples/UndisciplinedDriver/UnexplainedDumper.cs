// IRCU092: exempts a body from all rules and does not say why.
using IommuRcu.Annotations;

namespace UndisciplinedDriver.UnexplainedDumpers;

class Table
{
    [RcuUnsafe("")]
    public void Dump() { }
}
