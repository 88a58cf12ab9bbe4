// The rules that the engine relies on, for each format of the library.
namespace IommuRcu.Tests.PageTables.Formats;

public sealed class VtdSecondStageRulesTests : FormatRules<VtdSecondStageFormat>;

public sealed class AmdV1RulesTests : FormatRules<AmdV1Format>;

public sealed class X86FirstStageRulesTests : FormatRules<X86FirstStageFormat>;

public sealed class ArmStage1Granule4KRulesTests : FormatRules<ArmStage1Format<ArmGranule4K>>;

public sealed class ArmStage1Granule16KRulesTests : FormatRules<ArmStage1Format<ArmGranule16K>>;

public sealed class ArmStage1Granule64KRulesTests : FormatRules<ArmStage1Format<ArmGranule64K>>;

public sealed class ArmStage2Granule4KRulesTests : FormatRules<ArmStage2Format<ArmGranule4K>>;

public sealed class ArmStage2Granule16KRulesTests : FormatRules<ArmStage2Format<ArmGranule16K>>;

public sealed class ArmStage2Granule64KRulesTests : FormatRules<ArmStage2Format<ArmGranule64K>>;

public sealed class RiscVFirstStageRulesTests : FormatRules<RiscVFirstStageFormat>;

public sealed class RiscVSecondStageRulesTests : FormatRules<RiscVSecondStageFormat>;
